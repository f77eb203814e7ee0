"""Windows as streams have them, in SQL for DuckDB."""
