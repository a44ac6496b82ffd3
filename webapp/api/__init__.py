"""REST under `/api/v1`: the same facts as the pages, for programs; and what happens, pushed."""

from webapp.api import events, ledger, orders, sales, sending, warehouse, who
from webapp.api.operation import bp
from webapp.api.problems import install

__all__ = ["bp", "events", "install", "ledger", "orders", "sales", "sending", "warehouse", "who"]
