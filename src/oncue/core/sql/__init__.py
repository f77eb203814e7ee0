"""SQL of users: what their questions mean over events."""
