"""Thresholds: measures over windows that slide and windows that close."""
