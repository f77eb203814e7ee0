"""Patterns: declared conditions over events, and what finds the matches."""
