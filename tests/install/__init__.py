"""Tests of `install` and `uninstall`, against the real helm, kubectl and API server."""
