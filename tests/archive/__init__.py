"""The archive on a real PostgreSQL."""
