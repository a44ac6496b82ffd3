"""Who gets where: the rule of every route for every person. `python tests/webapp/matrix.py` prints it as a table."""

import sys

PEOPLE = ("nobody", "other", "rival", "foreign", "seller", "operator", "auditor", "admin", "buyer")
"""In the order of a line's letters. The sale is `seller`'s, `buyer` bought it, `operator` runs its site and its gate;
`rival` sells other goods, `foreign` runs another site, `other` is only signed in."""

# .: let in   s: sent to the sign-in   u: 401   f: 403   h: 404, it does not exist for this person
RULES = {
    "static": ".........",
    "openapi.spec": ".........",
    "market.market": ".........",
    "sale.show": ".........",
    "sale.contract": ".........",
    "sale.proof": "hhhh.....",
    "sale.act POST": "s.....f..",
    "sell.own": "s........",
    "sell.new": "sf....f.f",
    "sell.create POST": "sf....f.f",
    "batch.show": "sf....f.f",
    "batch.example": "sf....f.f",
    "batch.preview POST": "sf....f.f",
    "batch.send POST": "sf....f.f",
    "orders.orders": "s........",
    "receipt.show": "shhhhhhh.",
    "receipt.barcode": "shhhhhhh.",
    "receipt.act POST": "shhhhhfh.",
    "transactions.mine": "s........",
    "transactions.show": "shhhhhhh.",
    "transactions.live": "shhhhhhh.",
    "operating.new_site": "sff.f.fff",
    "operating.open_site POST": "sff.f.fff",
    "operating.ask_close": "sffhf.fff",
    "operating.close_site POST": "sffhf.fff",
    "operating.sellers": "sff.f...f",
    "operating.admit POST": "sff.f.f.f",
    "tasks.tasks": "sff.f...f",
    "tasks.history": "sff.f...f",
    "tasks.acknowledge POST": "sff.f.f.f",
    "release_log.show": "sff.f...f",
    "release_log.as_csv": "sff.f...f",
    "devices.listed": "sff.f...f",
    "devices.new": "sff.f.fff",
    "devices.provision POST": "sff.f.fff",
    "devices.show": "sffhf...f",
    "devices.change POST": "sffhf.fff",
    "devices.bundle POST": "sffhf.fff",
    "devices.offer POST": "sffhf.fff",
    "gate_orders.ask_open": "sffhf.fff",
    "gate_orders.open_by_hand POST": "sffhf.fff",
    "gate_orders.case": "sffhf...f",
    "gate_orders.settle POST": "sffhf.fff",
    "warehouse.overview": "sff.f...f",
    "warehouse.all_live": "sff.f...f",
    "warehouse.gate": "sffhf...f",
    "warehouse.live": "sffhf...f",
    "warehouse.readings": "sffhf...f",
    "warehouse.inbox POST": "sffhf.f.f",
    "analytics.show": "sf......f",
    "analytics.as_csv": "sf......f",
    "auditing.show": "sfffff..f",
    "auditing.commands": "sfffff..f",
    "help.show": ".........",
    "wallet.challenge POST": ".........",
    "wallet.sign_in POST": ".........",
    "wallet.prepare POST": "s.....f..",
    "wallet.keep POST": "s.....f..",
    "wallet.report POST": "s.....f..",
    "wallet_selling.prepare_listing POST": "sf....f.f",
    "wallet_selling.report_listing POST": "sf....f.f",
    "wallet_selling.prepare_batch POST": "sf....f.f",
    "wallet_selling.report_batch POST": "sf....f.f",
    "explorer.search": ".........",
    "explorer.blocks": ".........",
    "explorer.transactions": ".........",
    "explorer.events": ".........",
    "explorer.block": ".........",
    "explorer.transaction": ".........",
    "explorer.address": ".........",
    "explorer.balance": ".........",
    "explorer.consistency": "s........",
    "account.show": "s........",
    "account.key": "s........",
    "account.passphrase POST": "s........",
    "tokens.mine": "s........",
    "tokens.make POST": "s........",
    "tokens.end POST": "shhhhhhh.",
    "auth.sign_in": ".........",
    "auth.do_sign_in POST": ".........",
    "auth.sign_up": ".........",
    "auth.do_sign_up POST": ".........",
    "auth.sign_out POST": ".........",
    "bringing.show": ".........",
    "bringing.bring POST": ".........",
    "health.healthz": ".........",
    "health.readyz": ".........",
    "health.metrics": ".........",
    "api.events": ".........",
    "api.market": ".........",
    "api.sales": ".........",
    "api.sale": ".........",
    "api.history": ".........",
    "api.sites": ".........",
    "api.blocks": ".........",
    "api.block": ".........",
    "api.transactions": ".........",
    "api.block_transactions": ".........",
    "api.transaction": ".........",
    "api.address": ".........",
    "api.address_transactions": ".........",
    "api.address_events": ".........",
    "api.log": ".........",
    "api.orders": "u........",
    "api.receipt": "uhhhhhhh.",
    "api.all_sent": "u........",
    "api.one_sent": "uhhhhhhh.",
    "api.send POST": "uuuuuufuu",
    "api.devices": "uff.f...f",
    "api.gates": "uff.f...f",
    "api.gate": "uffhf...f",
    "api.releases": "uff.f...f",
    "api.me": ".........",
}

WORDS = {".": "✓", "s": "sign-in", "u": "401", "f": "403", "h": "404"}


def as_table() -> str:
    """Return the rules for people to read: routes with one rule share a row, in the rules' order."""
    rows: dict[str, list[str]] = {}
    for route, letters in RULES.items():
        rows.setdefault(letters, []).append(f"`{route}`")
    head = ["route", *PEOPLE]
    lines = [head, ["---"] * len(head)]
    lines += [[", ".join(routes), *(WORDS[letter] for letter in letters)] for letters, routes in rows.items()]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


if __name__ == "__main__":
    sys.stdout.write(as_table())
