"""Subscribers of the bus: schedule, reconcile, record, announce, measure.

They see the network and the disk through Protocols declared here; no HTTP, no SQL.
"""
