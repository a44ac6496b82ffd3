"""The log's codes in plain words. Pure."""

from webapp.device_models import DeviceEvent

SCANS = {
    "released": "Receipt accepted",
    "shown-again": "Receipt shown again",
    "no-code": "No barcode",
    "two-codes": "Two barcodes",
    "not-a-picture": "No picture",
    "too-large": "Picture too large",
    "not-lading": "Another barcode",
    "damaged": "Damaged barcode",
    "other-chain": "Another chain",
    "not-our-sale": "Not a sale of ours",
    "other-site": "Another site",
    "not-paid": "Not paid",
    "collected": "Already collected",
    "refunded": "Refunded",
    "cancelled": "Withdrawn",
    "refund-begun": "Refund period",
    "wrong-buyer": "Not the buyer's",
    "replaced": "Replaced receipt",
    "bad-signature": "Wrong signature",
    "expired": "Expired receipt",
    "other-door": "At another door",
    "gate-busy": "Gate busy",
    "gate-jammed": "Gate jammed",
    "gate-unknown": "Gate unknown",
    "not-authorised": "Door not authorised",
    "chain-unreachable": "Chain unreachable",
    "cloud-unreachable": "Cloud unreachable",
    "clock-wrong": "Clock wrong",
    "chain-stale": "Chain stale",
    "node-lied": "A node lied",
    "sealers-unknown": "Sealers unknown",
    "low-balance": "Balance low",
    "internal": "Fault of the door",
}
RELEASES = {
    "submitted": "Release sent",
    "consumed": "Release on chain",
    "requested": "Opening asked for",
    "late": "Too late to open",
    "intent": "Opening",
    "actuated": "Unlocked",
    "sensed": "Opened",
    "completed": "Collected",
    "aborting": "Stayed shut",
    "aborted": "Aborted",
    "case": "Needs a person",
    "refused": "Release undone",
}
GATES = {
    "LOCKED": "Locked",
    "UNLOCKING": "Unlocking",
    "OPEN": "Open",
    "LOCKING": "Locking",
    "JAMMED": "Jammed",
    "UNKNOWN": "Unknown",
}
FAULTS = ("case", "aborting", "late", "refused")
GOOD = ("released", "shown-again", "completed", "sensed", "OPEN")


def words_of(event: DeviceEvent) -> str:
    """Return what happened in two or three words."""
    tables = {"scan": SCANS, "release": RELEASES, "gate": GATES}
    if event.kind in tables:
        return tables[event.kind].get(event.outcome, event.outcome or event.kind)
    named = {"order": "Order", "alarm": "Alarm", "request-refused": "Request refused"}
    name = named.get(event.kind, event.kind)
    return f"{name}: {event.outcome}" if event.kind in ("order", "alarm") and event.outcome else name


def tone_of(event: DeviceEvent) -> str:
    """Return the badge's look: good, bad, warning or plain."""
    if event.outcome in GOOD or (event.kind, event.outcome) == ("order", "done"):
        return "s1"
    if event.kind in ("alarm", "request-refused") or event.outcome in (*FAULTS, "JAMMED"):
        return "sbad"
    if event.kind in ("scan", "order"):
        return "s2"
    return "s4"
