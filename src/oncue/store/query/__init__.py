"""SQL over events, answered by DuckDB in processes that are locked and can be killed."""
