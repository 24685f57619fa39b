"""`install` and `uninstall`: against the real helm, kubectl and API server.

What the chart itself renders is tested in tests/chart.
"""
