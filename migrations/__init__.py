"""Alembic migrations of the audit log's schema, run by a child process of the daemon.

Each revision is frozen: it never imports the tables as they are today.
"""
