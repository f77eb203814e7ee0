"""The way out: one HTTP client, and a guard on every address that it connects to."""
