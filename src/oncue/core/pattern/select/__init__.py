"""Streaming SELECT: rows of events, of windows that close, and of windows behind each row."""
