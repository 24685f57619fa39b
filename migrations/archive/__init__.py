"""Alembic's revisions of the archive in PostgreSQL, apart from those of the local log."""
