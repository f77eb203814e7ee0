"""Paths into documents in SQL over stored events."""
