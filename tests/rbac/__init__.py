"""That config/rbac holds exactly what the adaptor uses: with each right gone, it says which.

Tests of roles only; what the adaptor does with its rights is tested in tests/contract.
"""
