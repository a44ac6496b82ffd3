"""Why a scan is refused: a code for programs, a line for the person at the door, and what to do."""

from dataclasses import dataclass
from enum import StrEnum


class Refusal(StrEnum):
    """Every reason for which this door stays shut."""

    NO_CODE = "no-code"
    TWO_CODES = "two-codes"
    NOT_A_PICTURE = "not-a-picture"
    TOO_LARGE = "too-large"
    NOT_LADING = "not-lading"
    DAMAGED = "damaged"
    OTHER_CHAIN = "other-chain"
    NOT_OUR_SALE = "not-our-sale"
    OTHER_SITE = "other-site"
    NOT_PAID = "not-paid"
    COLLECTED = "collected"
    REFUNDED = "refunded"
    CANCELLED = "cancelled"
    REFUND_BEGUN = "refund-begun"
    WRONG_BUYER = "wrong-buyer"
    REPLACED = "replaced"
    BAD_SIGNATURE = "bad-signature"
    EXPIRED = "expired"
    OTHER_DOOR = "other-door"
    GATE_BUSY = "gate-busy"
    GATE_JAMMED = "gate-jammed"
    GATE_UNKNOWN = "gate-unknown"
    NOT_AUTHORISED = "not-authorised"
    CHAIN_UNREACHABLE = "chain-unreachable"
    CLOUD_UNREACHABLE = "cloud-unreachable"
    CLOCK_WRONG = "clock-wrong"
    CHAIN_STALE = "chain-stale"
    NODE_LIED = "node-lied"
    SEALERS_UNKNOWN = "sealers-unknown"
    LOW_BALANCE = "low-balance"
    NOT_MINED = "not-mined"
    TOO_LATE = "too-late"
    STAYED_SHUT = "stayed-shut"
    OPERATOR = "operator"
    UNDONE = "undone"
    INTERNAL = "internal"


@dataclass(frozen=True)
class Line:
    """What the door says, and what the person can do."""

    says: str
    do: str


_NEW_RECEIPT = "Open the sale's page and make a new receipt."
_WAIT = "Please wait a minute and show it again; your receipt stays good."
_OPERATOR = "Please call the operator of this door."

LINES: dict[Refusal, Line] = {
    Refusal.NO_CODE: Line("No barcode seen.", "Hold the code flat, closer, and out of the glare."),
    Refusal.TWO_CODES: Line("Two barcodes seen.", "Show one at a time."),
    Refusal.NOT_A_PICTURE: Line("That is not a picture.", "Send a PNG or JPEG of the receipt's barcode."),
    Refusal.TOO_LARGE: Line("That picture is too large.", "Send one of at most 50 million pixels and 24 MB."),
    Refusal.NOT_LADING: Line("Not a Lading barcode.", "Show the barcode of your receipt."),
    Refusal.DAMAGED: Line("This barcode is damaged.", _NEW_RECEIPT),
    Refusal.OTHER_CHAIN: Line("This receipt is for another chain.", "Show the receipt of an order placed here."),
    Refusal.NOT_OUR_SALE: Line("This is not one of our sales.", "Show the receipt of an order placed here."),
    Refusal.OTHER_SITE: Line("These goods are stored at another site.", "Go to the site that the receipt names."),
    Refusal.NOT_PAID: Line(
        "This order is not paid for.", "Pay on the sale's page; if you just did, show it again in a few seconds."
    ),
    Refusal.COLLECTED: Line("Already collected.", "If it was not you, call the operator."),
    Refusal.REFUNDED: Line("This order was refunded.", "Nothing is to be collected for it."),
    Refusal.CANCELLED: Line("This order was cancelled.", "Nothing is to be collected for it."),
    Refusal.REFUND_BEGUN: Line("The refund period has begun.", "Ask for your refund on the sale's page."),
    Refusal.WRONG_BUYER: Line("This receipt is not the buyer's.", "The buyer must show a receipt of their own."),
    Refusal.REPLACED: Line("This receipt was replaced by a newer one.", "Show the newest receipt."),
    Refusal.BAD_SIGNATURE: Line("The signature does not match.", _NEW_RECEIPT),
    Refusal.EXPIRED: Line("This receipt has expired.", _NEW_RECEIPT),
    Refusal.OTHER_DOOR: Line("It is being released at another door.", "Go to that door, or wait until it gives up."),
    Refusal.GATE_BUSY: Line("The gate is busy with somebody else.", _WAIT),
    Refusal.GATE_JAMMED: Line("The gate is jammed.", _OPERATOR),
    Refusal.GATE_UNKNOWN: Line("The gate does not say whether it is locked.", _OPERATOR),
    Refusal.NOT_AUTHORISED: Line("This door may not release goods.", _OPERATOR),
    Refusal.CHAIN_UNREACHABLE: Line("The chain cannot be reached.", _WAIT),
    Refusal.CLOUD_UNREACHABLE: Line("The gate's cloud cannot be reached.", _WAIT),
    Refusal.CLOCK_WRONG: Line("This door's clock is wrong.", _OPERATOR),
    Refusal.CHAIN_STALE: Line("The chain's answer is too old.", _WAIT),
    Refusal.NODE_LIED: Line("A node's answer is not what the sealers signed.", _WAIT),
    Refusal.SEALERS_UNKNOWN: Line("This door no longer knows who seals the chain.", _OPERATOR),
    Refusal.LOW_BALANCE: Line("This door cannot pay for the release.", _OPERATOR),
    Refusal.NOT_MINED: Line("The release did not go through.", "Show the receipt again; it is still good."),
    Refusal.TOO_LATE: Line("Too late to open for this scan.", "Show the same receipt again."),
    Refusal.STAYED_SHUT: Line("The gate did not open.", "Nothing is lost: make a new receipt and try again."),
    Refusal.OPERATOR: Line("It is not certain whether the gate opened.", _OPERATOR),
    Refusal.UNDONE: Line("The chain took this release back.", "Look at the sale's page."),
    Refusal.INTERNAL: Line("Something went wrong here.", _OPERATOR),
}


def line_for(refusal: Refusal, detail: str = "") -> str:
    """One line for the person: what, the detail if there is one, and what to do."""
    line = LINES[refusal]
    says = f"{line.says} ({detail})" if detail else line.says
    return f"{says} {line.do}"
