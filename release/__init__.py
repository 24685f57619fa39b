"""Makes a release in one folder: `python -m release`, behind `make dist`.

What is shipped beside the wheel belongs here; nothing that runs in a cluster or for a user does.
"""
