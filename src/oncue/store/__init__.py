"""What implements the ports: where accepted events, decisions and definitions are kept."""
