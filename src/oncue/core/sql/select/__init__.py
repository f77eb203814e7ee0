"""Statements that group, window or just select events, as they are written."""
