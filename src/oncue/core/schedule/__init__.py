"""Schedules: when they fire, what of that was missed, and the events that say so."""
