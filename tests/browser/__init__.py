"""The pages in a real Chromium, on the real adaptor in the sandbox.

What HTML alone can show belongs in tests/unit/admin/test_pages.py.
"""
