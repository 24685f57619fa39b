"""The Kubernetes API: connection, client, discovery, reflector, store, lease, recorder.

kubernetes-asyncio and aiohttp's client live here and nowhere else; no decisions.
"""
