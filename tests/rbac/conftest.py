"""Fixtures of the role tests: the contract tests' clusters, on both servers."""

from __future__ import annotations

from tests.contract.conftest import cluster, pytest_collection_modifyitems, server

__all__ = ["cluster", "pytest_collection_modifyitems", "server"]
