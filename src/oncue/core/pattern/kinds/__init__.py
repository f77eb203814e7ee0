"""The kinds of patterns as users write them: one module each, and what they have in common."""
