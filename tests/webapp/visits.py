"""Every page and who looks at it: what the tests in a browser and the pictures walk through.

A new page gets a line here, or a test fails. A visit is `who path`; `-` is somebody who is not signed in. Braces name
what the walk has made beforehand.
"""

PAGES: dict[str, tuple[str, ...]] = {
    "account.show": ("buyer /account", "seller /account?new=1"),
    "analytics.show": ("seller /analytics", "operator /analytics"),
    "auditing.commands": ("auditor /audit/commands",),
    "auditing.show": ("auditor /audit",),
    "auth.sign_in": ("- /sign-in",),
    "auth.sign_up": ("- /sign-up",),
    "batch.show": ("seller /sell/batch",),
    "bringing.show": ("- /sign-up/key-file",),
    "devices.listed": ("operator /warehouse/devices",),
    "devices.new": ("operator /warehouse/devices/new",),
    "devices.show": ("operator /warehouse/devices/gate-1",),
    "explorer.address": ("- /explorer/address/{seller}",),
    "explorer.block": ("- /explorer/block/{block}",),
    "explorer.blocks": ("- /explorer/blocks",),
    "explorer.consistency": ("- /explorer/consistency/{sale}",),
    "explorer.events": ("- /explorer/events",),
    "explorer.search": ("- /explorer",),
    "explorer.transaction": ("- /explorer/transaction/{hash}",),
    "explorer.transactions": ("- /explorer/transactions",),
    "gate_orders.ask_open": ("operator /warehouse/gate-1/open",),
    "gate_orders.case": ("operator /warehouse/gate-1/cases/{sale}/0", "auditor /warehouse/gate-1/cases/{sale}/0"),
    "help.show": ("- /help",),
    "market.market": ("- /", "- /?q=nothing"),
    "operating.ask_close": ("operator /warehouse/sites/1/close",),
    "operating.new_site": ("operator /warehouse/sites/new",),
    "operating.sellers": ("operator /warehouse/sellers",),
    "orders.orders": ("seller /orders", "buyer /orders"),
    "receipt.show": ("buyer /receipts/{sold}",),
    "release_log.show": ("operator /warehouse/log",),
    "sale.show": ("- /sales/{sold}", "- /sales/{open}", "seller /sales/{open}", "buyer /sales/{open}"),
    "sell.new": ("seller /sell/new",),
    "sell.own": ("seller /sell", "buyer /sell"),
    "tasks.history": ("operator /warehouse/alarms",),
    "tasks.tasks": ("operator /warehouse/tasks",),
    "tokens.mine": ("buyer /account/tokens",),
    "transactions.mine": ("seller /transactions", "buyer /transactions"),
    "transactions.show": ("buyer /transactions/{transaction}",),
    "warehouse.gate": ("operator /warehouse/gate-1",),
    "warehouse.overview": ("operator /warehouse",),
}

NO_PAGES = {
    "account.key",
    "analytics.as_csv",
    "batch.example",
    "explorer.balance",  # a piece of an address's page
    "receipt.barcode",
    "release_log.as_csv",
    "sale.contract",  # a piece of the sale's page, opened there
    "sale.proof",
    "static",
    "transactions.live",
    "warehouse.all_live",
    "warehouse.live",
    "warehouse.readings",  # a piece of a gate's page
}
"""Files, streams and pieces of pages."""

MACHINES = ("api", "health", "openapi")
"""Blueprints that no person looks at."""

ERRORS = ("- /nowhere", "buyer /sell/new", "- /sales/{open}/buy")
"""Not there, not for this account, not by this method."""
