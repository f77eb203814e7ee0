"""Queries over stored events that are asked again and again: each row that was not there before is a match."""
