"""The catalog in any SQL database that SQLAlchemy speaks to."""
