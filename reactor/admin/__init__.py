"""HTTP on the admin port: probes, metrics, the audit API.

Litestar and uvicorn live here and nowhere else; nothing here writes.
"""
