"""Row patterns: the operator behind MATCH_RECOGNIZE."""
