"""Asks an audit log its questions: over an adaptor's admin port, or in its file.

What people see of the answers is in reactor.cli, what answers in reactor.admin and reactor.audit.
"""
