"""The Go extension as it stands in clusters: a chart of its shape, and what its adaptor wrote.

All of it is written by us from facts; nothing here is asserted about our own extension.
"""
