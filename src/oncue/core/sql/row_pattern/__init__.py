"""MATCH_RECOGNIZE of SQL:2016 (ISO/IEC 19075-5), from text to what it says."""
