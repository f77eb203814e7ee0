"""Sequences: from the document to an operator."""
