"""Pages for people, rendered here from what the API answers with, and the sign-in to them.

No decision, no query of its own, nothing from another address; nothing here writes.
"""
