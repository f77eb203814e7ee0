"""Row patterns whose matches are read by windows."""
