"""Questions to the log: pages of rows under any filters, in either direction.

A page costs the same wherever it is in the log; what no index answers comes in part, with a
cursor, instead of late.
"""

from reactor.audit.query.filters import Filters, Order
from reactor.audit.query.pages import LONGEST_PAGE, Page
from reactor.audit.query.reader import Reader
from reactor.audit.query.records import Run

__all__ = ["LONGEST_PAGE", "Filters", "Order", "Page", "Reader", "Run"]
