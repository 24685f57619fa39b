"""The audit log: schema, the one writer, queries, chain, retention.

SQLAlchemy lives here and nowhere else; nothing here knows Kubernetes.
"""
