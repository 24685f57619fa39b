"""The log's copy in PostgreSQL: its schema, the shipper that fills it, questions to it.

Nothing here is waited for by a decision; the local log stays the one that counts.
"""
