"""Workflows: the definition as data, its records, and the interpreter between them."""
