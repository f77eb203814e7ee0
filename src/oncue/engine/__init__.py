"""The embedded engine: what is decided in the core, carried out through the ports."""
