"""What the pages tell a reader to do, tried; and their claims, held by tests that exist.

That the references list what the code has belongs in tests/unit/test_docs.py.
"""
