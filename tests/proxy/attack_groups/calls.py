"""Parameters: selectors, overrides, tags, precompiles, shapes of every method."""

from collections.abc import Iterator
from typing import Any

from tests.proxy.attack_groups.case import Case, anew, asked, post
from tests.proxy.strict import WALLETS

SALE = "0x" + "ab" * 20
HASH = "0x" + "cd" * 32
OURS = "0x8f32d59b"
CALL = {"to": SALE, "data": OURS}
ADDRESS_WORDS = "not an address"
TAG_WORDS = "not latest or a block number"
WALLET_TAG_WORDS = "not latest, pending or a block number"
ARITY_WORDS = "wrong number of parameters"
MEMBER_WORDS = "a call may not carry this member"
NEEDS_WORDS = "a call needs to and data"
NUMBER_WORDS = "not a block number"

BAD_TAGS: dict[str, Any] = {
    "earliest": "earliest",
    "safe": "safe",
    "finalized": "finalized",
    "upper": "LATEST",
    "space": "latest ",
    "decimal": "100",
    "number": 100,
    "hash": HASH,
    "object-hash": {"blockHash": HASH},
    "object-number": {"blockNumber": "0x1"},
    "object-canonical": {"blockHash": HASH, "requireCanonical": False},
    "leading-zero": "0x01",
    "empty": "",
    "bare": "0x",
    "minus": "-0x1",
    "too-long": "0x1" + "0" * 16,
    "null": None,
    "list": ["latest"],
    "true": True,
}

BAD_ADDRESSES: dict[str, Any] = {
    "short": "0x" + "ab" * 19,
    "long": "0x" + "ab" * 21,
    "bare": "ab" * 20,
    "upper-x": "0X" + "ab" * 20,
    "not-hex": "0x" + "zz" * 20,
    "name": "vitalik.eth",
    "number": 1,
    "null": None,
    "object": {"toString": SALE},
    "list": [SALE],
    "newline": SALE + "\n",
    "newline-inside": "0x" + "ab" * 19 + "a\n",
    "fullwidth": "0x" + "\uff41b" * 20,
    "empty": "",
}

BAD_DATA: dict[str, Any] = {
    "odd": OURS + "0",
    "not-hex": OURS + "zz",
    "newline": OURS + "\n",
    "space": OURS + " ",
    "bare": OURS[2:],
    "upper-x": "0X" + OURS[2:],
    "number": 2401000000,
    "null": None,
    "list": [OURS],
    "object": {"length": 10},
    "empty-text": "",
}

FOREIGN_SELECTORS = {
    "transfer": "0xa9059cbb" + "00" * 64,
    "approve": "0x095ea7b3",
    "zero": "0x00000000",
    "ones": "0xffffffff",
    "empty": "0x",
    "one-byte": "0x8f",
    "three-bytes": "0x8f32d5",
    "ours-later": "0x00000000" + OURS[2:],
    "shifted": "0x008f32d59b",
    "neighbour": "0x8f32d59c",
    "creation-code": "0x6080604052",
}

DEVICE_OVERRIDES: dict[str, Any] = {
    "value": "0x1",
    "gas": "0xffffffff",
    "gasPrice": "0x1",
    "maxFeePerGas": "0x1",
    "nonce": "0x0",
    "type": "0x2",
    "chainId": "0x1",
    "accessList": [],
    "blobs": [],
    "authorizationList": [],
    "Data": OURS,
    "DATA": OURS,
    "To": SALE,
    "TO": SALE,
    "From": SALE,
    "Input": OURS,
    "__proto__": {},
    "code": "0x",
    "stateOverride": {},
    "blockOverrides": {},
}

OVERRIDES: dict[str, Any] = {
    "code": {SALE: {"code": "0x6001"}},
    "balance": {SALE: {"balance": "0xffff"}},
    "state": {SALE: {"state": {HASH: HASH}}},
    "state-diff": {SALE: {"stateDiff": {HASH: HASH}}},
    "empty": {},
    "null": None,
}

SHAPES: list[tuple[str, str, list[Any], str]] = [
    ("eth_chainId", "extra", [1], ARITY_WORDS),
    ("eth_chainId", "extra-null", [None], ARITY_WORDS),
    ("eth_blockNumber", "extra", [{}], ARITY_WORDS),
    ("eth_gasPrice", "extra", ["latest"], ARITY_WORDS),
    ("eth_call", "none", [], ARITY_WORDS),
    ("eth_getTransactionReceipt", "none", [], ARITY_WORDS),
    ("eth_getTransactionReceipt", "short", ["0x" + "cd" * 31], "not a hash"),
    ("eth_getTransactionReceipt", "two", [HASH, HASH], ARITY_WORDS),
    ("eth_getTransactionReceipt", "object", [{"hash": HASH}], "not a hash"),
    ("eth_getTransactionByHash", "number", [1], "not a hash"),
    ("eth_getTransactionByHash", "long", [HASH + "00"], "not a hash"),
    ("eth_getBalance", "none", [], ARITY_WORDS),
    ("eth_getBalance", "three", [SALE, "latest", {}], ARITY_WORDS),
    ("eth_getTransactionCount", "list", [[SALE], "latest"], ADDRESS_WORDS),
    ("eth_getCode", "none", [], ARITY_WORDS),
    ("eth_getBlockByNumber", "none", [], ARITY_WORDS),
    ("eth_getBlockByNumber", "full", ["latest", True], "only headers: the second parameter must be false"),
    ("eth_getBlockByNumber", "full-text", ["latest", "false"], "only headers: the second parameter must be false"),
    ("eth_getBlockByNumber", "full-null", ["latest", None], "only headers: the second parameter must be false"),
    ("eth_getBlockByNumber", "full-zero", ["latest", 0], "only headers: the second parameter must be false"),
    ("eth_getBlockByNumber", "three", ["latest", False, 1], ARITY_WORDS),
    ("eth_getProof", "none", [], ARITY_WORDS),
    ("eth_getProof", "without-block", [SALE, ["0x0"]], ARITY_WORDS),
    ("eth_getProof", "latest", [SALE, ["0x0"], "latest"], NUMBER_WORDS),
    ("eth_getProof", "three-slots", [SALE, ["0x0", "0x1", "0x2"], "0x1"], "at most two slots"),
    ("eth_getProof", "slots-text", [SALE, "0x0", "0x1"], "at most two slots"),
    ("eth_getProof", "slots-object", [SALE, {"length": 1}, "0x1"], "at most two slots"),
    ("eth_getProof", "slot-number", [SALE, [0], "0x1"], "not a slot"),
    ("eth_getProof", "slot-long", [SALE, ["0x" + "0" * 65], "0x1"], "not a slot"),
    ("eth_getProof", "slot-bare", [SALE, ["0x"], "0x1"], "not a slot"),
    ("eth_getProof", "slot-list", [SALE, [["0x0"]], "0x1"], "not a slot"),
    ("eth_getProof", "two-addresses", [[SALE, SALE], [], "0x1"], ADDRESS_WORDS),
    ("eth_sendRawTransaction", "none", [], ARITY_WORDS),
    ("eth_sendRawTransaction", "two", ["0xf86b", "0xf86b"], ARITY_WORDS),
    ("eth_sendRawTransaction", "odd", ["0xf86"], "not a signed transaction"),
    ("eth_sendRawTransaction", "object", [{"from": SALE, "to": SALE}], "not a signed transaction"),
    ("eth_sendRawTransaction", "bare", ["f86b"], "not a signed transaction"),
    ("eth_sendRawTransaction", "newline", ["0xf86b\n"], "not a signed transaction"),
    ("eth_feeHistory", "none", [], ARITY_WORDS),
    ("eth_feeHistory", "zero", ["0x0", "latest", []], "not a number of blocks"),
    ("eth_feeHistory", "huge", ["0x401", "latest", []], "not a number of blocks"),
    ("eth_feeHistory", "negative", [-1, "latest", []], "not a number of blocks"),
    ("eth_feeHistory", "fraction", [1.5, "latest", []], "not a number of blocks"),
    ("eth_feeHistory", "many-percentiles", ["0x1", "latest", [1.0] * 17], "not a list of percentiles"),
    ("eth_feeHistory", "percentiles-object", ["0x1", "latest", {"0": 1}], "not a list of percentiles"),
    ("eth_feeHistory", "percentile-text", ["0x1", "latest", ["50"]], "not a percentile"),
    ("eth_feeHistory", "percentile-101", ["0x1", "latest", [101]], "not a percentile"),
    ("eth_feeHistory", "percentile-list", ["0x1", "latest", [[50]]], "not a percentile"),
]


def cases() -> Iterator[Case]:
    """All of this group."""
    yield from _calls()
    yield from _objects()
    yield from _twice()
    yield from _tags()
    yield from _addresses()
    yield from _wallets()
    for method, name, params, words in SHAPES:
        block = "wallets" if method in WALLETS else "devices"
        yield Case("shapes", f"{method}-{name}", block, post(asked(method, params)), "params", words, 1)


def _calls() -> Iterator[Case]:
    for name, data in FOREIGN_SELECTORS.items():
        for key in ("data", "input"):
            body = asked("eth_call", [{"to": SALE, key: data}, "latest"])
            yield Case("selectors", f"{key}-{name}", "devices", post(body), "selector", call_id=1)
    for name, value in BAD_DATA.items():
        body = asked("eth_call", [{"to": SALE, "data": value}, "latest"])
        yield Case("calls", f"data-{name}", "devices", post(body), "params", "not call data", 1)
    for key, value in DEVICE_OVERRIDES.items():
        body = asked("eth_call", [{**CALL, key: value}, "latest"])
        yield Case("calls", f"member-{key}", "devices", post(body), "params", MEMBER_WORDS, 1)
    for name, value in OVERRIDES.items():
        for block in ("devices", "wallets"):
            body = asked("eth_call", [CALL, "latest", value])
            yield Case("overrides", f"{block}-{name}", block, post(body), "params", ARITY_WORDS, 1)


def _objects() -> Iterator[Case]:
    for name, call in (("text", SALE), ("list", [SALE]), ("null", None), ("number", 1)):
        body = asked("eth_call", [call, "latest"])
        yield Case("calls", f"object-{name}", "devices", post(body), "params", "a call must be an object", 1)
    for name, call in (("empty", {}), ("no-data", {"to": SALE}), ("no-to", {"data": OURS})):
        body = asked("eth_call", [call, "latest"])
        yield Case("calls", f"object-{name}", "devices", post(body), "params", NEEDS_WORDS, 1)


def _twice() -> Iterator[Case]:
    differ = asked("eth_call", [{**CALL, "input": OURS + "00"}, "latest"])
    yield Case("calls", "data-and-input-differ", "devices", post(differ), "params", "data and input differ", 1)
    written = f'{{"to":"{SALE}","data":"{OURS}"}},"latest"'
    yield Case(
        "calls", "good-without-tag", "devices", post(asked("eth_call", [CALL])), forwarded=anew("eth_call", written)
    )
    head = '{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"to":"' + SALE + '"'
    twice = head + f',"data":"0xa9059cbb","data":"{OURS}"}}]}}'
    yield Case("calls", "data-twice-good-last", "devices", post(twice.encode()), forwarded=anew("eth_call", written))
    worse = head + f',"data":"{OURS}","data":"0xa9059cbb"}}]}}'
    yield Case("calls", "data-twice-bad-last", "devices", post(worse.encode()), "selector", call_id=1)
    upper = asked("eth_call", [{"to": SALE, "data": "0x8F32D59B"}, "latest"])
    shouted = f'{{"to":"{SALE}","data":"0x8F32D59B"}},"latest"'
    yield Case("selectors", "good-upper", "devices", post(upper), forwarded=anew("eth_call", shouted))


def _tags() -> Iterator[Case]:
    for name, tag in BAD_TAGS.items():
        body = asked("eth_call", [CALL, tag])
        yield Case("tags", f"devices-{name}", "devices", post(body), "params", TAG_WORDS, 1)
        yield Case("tags", f"wallets-{name}", "wallets", post(body), "params", WALLET_TAG_WORDS, 1)
    body = asked("eth_call", [CALL, "pending"])
    yield Case("tags", "devices-pending", "devices", post(body), "params", TAG_WORDS, 1)
    for method in ("eth_getBalance", "eth_getCode", "eth_getTransactionCount"):
        body = asked(method, [SALE, "earliest"])
        yield Case("tags", f"{method}-earliest", "devices", post(body), "params", TAG_WORDS, 1)


def _addresses() -> Iterator[Case]:
    for name, address in BAD_ADDRESSES.items():
        body = asked("eth_call", [{"to": address, "data": OURS}, "latest"])
        yield Case("addresses", f"to-{name}", "devices", post(body), "params", ADDRESS_WORDS, 1)
        body = asked("eth_call", [{**CALL, "from": address}, "latest"])
        yield Case("addresses", f"from-{name}", "wallets", post(body), "params", ADDRESS_WORDS, 1)
        body = asked("eth_getCode", [address, "latest"])
        yield Case("addresses", f"code-{name}", "devices", post(body), "params", ADDRESS_WORDS, 1)
    for number in (0, 1, 2, 5, 9, 10, 0xFF, 0x100):
        body = asked("eth_call", [{"to": f"0x{number:040x}", "data": OURS}, "latest"])
        for block in ("devices", "wallets"):
            yield Case("precompiles", f"{block}-{number:03x}", block, post(body), "precompile", call_id=1)
    body = asked("eth_estimateGas", [{"to": f"0x{5:040x}", "data": "0x"}])
    yield Case("precompiles", "wallets-estimate", "wallets", post(body), "precompile", call_id=1)


def _wallets() -> Iterator[Case]:
    for key in ("accessList", "Data", "To", "blobVersionedHashes", "stateOverride", "VALUE", "gasprice", " gas", ""):
        body = asked("eth_call", [{**CALL, key: "0x1"}, "latest"])
        name = key.strip() or "empty"
        yield Case("wallet-calls", f"member-{name}", "wallets", post(body), "params", MEMBER_WORDS, 1)
    for name, value in (
        ("number", 1),
        ("null", None),
        ("zero-first", "0x01"),
        ("bare", "0x"),
        ("long", "0x1" + "0" * 64),
    ):
        body = asked("eth_estimateGas", [{**CALL, "value": value}])
        yield Case("wallet-calls", f"value-{name}", "wallets", post(body), "params", "not a quantity", 1)
    body = asked("eth_estimateGas", [{"data": "0x6080"}])
    yield Case("wallet-calls", "creation", "wallets", post(body), "params", NEEDS_WORDS, 1)
    body = asked("eth_estimateGas", [CALL, "latest", {}])
    yield Case("wallet-calls", "estimate-override", "wallets", post(body), "params", ARITY_WORDS, 1)
