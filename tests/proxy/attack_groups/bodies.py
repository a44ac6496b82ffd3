"""Bodies: keys that fold, JSON that is none, ids, batches, methods."""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from tests.proxy.attack_groups.case import Case, Piece, anew, asked, post
from tests.proxy.strict import DEVICES, WALLETS
from tests.proxy.test_filter import ALLOWED_FOR_DEVICES, ALLOWED_FOR_WALLETS

CHAIN_ID = anew("eth_chainId", "")
PLAIN_REQUEST = "a request must be an object"
INCOMPLETE = 'a request needs jsonrpc "2.0" and a method'

FOLDED_KEYS = {
    "method-title": '"Method"',
    "method-upper": '"METHOD"',
    "method-last": '"methoD"',
    "method-escaped-upper": '"\\u004dethod"',
    "params-long-s": '"param\u017f"',
    "params-long-s-escaped": '"param\\u017f"',
    "params-title": '"Params"',
    "params-upper": '"PARAMS"',
    "jsonrpc-title": '"Jsonrpc"',
    "jsonrpc-camel": '"jsonRPC"',
    "jsonrpc-long-s": '"j\u017fonrpc"',
    "id-upper": '"ID"',
    "id-title": '"Id"',
    "id-dotless": '"\u0131d"',
    "id-dotted": '"\u0130d"',
    "method-space": '"method "',
    "method-nul": '"method\\u0000"',
    "method-zero-width": '"meth\u200bod"',
    "method-combining": '"method\u0301"',
    "method-cyrillic": '"m\u0435thod"',
    "method-fullwidth": '"\uff4dethod"',
    "empty-key": '""',
    "proto": '"__proto__"',
    "constructor": '"constructor"',
    "to-json": '"toJSON"',
    "value-of": '"valueOf"',
    "error": '"error"',
    "result": '"result"',
    "namespace": '"namespace"',
}

FORBIDDEN_METHODS = Path(__file__).with_name("forbidden_methods.txt").read_text().split()

DISGUISED_METHODS = {
    "upper": "ETH_CHAINID",
    "lower": "eth_chainid",
    "title": "Eth_chainId",
    "space-after": "eth_chainId ",
    "space-before": " eth_chainId",
    "newline": "eth_chainId\n",
    "nul": "eth_chainId\x00",
    "nul-admin": "eth_chainId\x00admin_peers",
    "comma": "eth_chainId,admin_peers",
    "dot": "eth.chainId",
    "fullwidth": "\uff45th_chainId",
    "long-s": "eth_ge\u017f",
    "empty": "",
    "proto": "__proto__",
    "constructor": "constructor",
    "to-string": "toString",
    "has-own": "hasOwnProperty",
    "quote": 'eth_chainId","method":"admin_peers',
    "prefix": "eth_chainIdX",
    "short": "eth_",
}

NOT_JSON = {
    "empty": b"",
    "space": b"   ",
    "truncated": b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[',
    "half-string": b'{"jsonrpc":"2.0","id":1,"method":"eth_chai',
    "trailing-comma": b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[],}',
    "trailing-comma-list": b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[,]}',
    "leading-comma": b'{,"jsonrpc":"2.0","id":1,"method":"eth_chainId"}',
    "comment-block": b'{"jsonrpc":"2.0","id":1,/*"method":"x",*/"method":"eth_chainId"}',
    "comment-line": b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}//x',
    "comment-hash": b'#x\n{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}',
    "bom": b'\xef\xbb\xbf{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}',
    "utf16": '{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}'.encode("utf-16-le"),
    "utf16-bom": '{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}'.encode("utf-16"),
    "utf32": '{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}'.encode("utf-32-le"),
    "nan": b'{"jsonrpc":"2.0","id":NaN,"method":"eth_chainId"}',
    "infinity": b'{"jsonrpc":"2.0","id":Infinity,"method":"eth_chainId"}',
    "minus-infinity": b'{"jsonrpc":"2.0","id":-Infinity,"method":"eth_chainId"}',
    "undefined": b'{"jsonrpc":"2.0","id":undefined,"method":"eth_chainId"}',
    "single-quotes": b"{'jsonrpc':'2.0','id':1,'method':'eth_chainId'}",
    "bare-keys": b'{jsonrpc:"2.0",id:1,method:"eth_chainId"}',
    "hex-number": b'{"jsonrpc":"2.0","id":0x1,"method":"eth_chainId"}',
    "plus": b'{"jsonrpc":"2.0","id":+1,"method":"eth_chainId"}',
    "bare-exponent": b'{"jsonrpc":"2.0","id":1e,"method":"eth_chainId"}',
    "minus-alone": b'{"jsonrpc":"2.0","id":-,"method":"eth_chainId"}',
    "trailing-byte": b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}x',
    "trailing-nul": b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}\x00',
    "leading-nul": b'\x00{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}',
    "two-documents": b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}{"jsonrpc":"2.0","id":1,"method":"admin_peers"}',
    "two-lines": b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}\n{"jsonrpc":"2.0","id":1,"method":"admin_peers"}',
    "raw-newline": b'{"jsonrpc":"2.0","id":"a\nb","method":"eth_chainId"}',
    "raw-tab": b'{"jsonrpc":"2.0","id":"a\tb","method":"eth_chainId"}',
    "raw-nul": b'{"jsonrpc":"2.0","id":"a\x00b","method":"eth_chainId"}',
    "bad-escape": b'{"jsonrpc":"2.0","id":"\\x41","method":"eth_chainId"}',
    "short-escape": b'{"jsonrpc":"2.0","id":"\\u12","method":"eth_chainId"}',
    "vertical-tab": b'{"jsonrpc":\x0b"2.0","id":1,"method":"eth_chainId"}',
    "form-feed": b'{"jsonrpc":\x0c"2.0","id":1,"method":"eth_chainId"}',
    "no-break-space": b'{"jsonrpc":\xc2\xa0"2.0","id":1,"method":"eth_chainId"}',
    "missing-colon": b'{"jsonrpc" "2.0","id":1,"method":"eth_chainId"}',
    "wrong-close": b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId"]',
    "unclosed-list": b'[{"jsonrpc":"2.0","id":1,"method":"eth_chainId"}',
    "true-upper": b'{"jsonrpc":"2.0","id":1,"method":"eth_getBlockByNumber","params":["latest",False]}',
    "form": b"jsonrpc=2.0&id=1&method=eth_chainId",
    "xml": b"<methodCall><methodName>eth_chainId</methodName></methodCall>",
    "binary": bytes(range(256)),
    "zeros": bytes(64),
}

NO_REQUEST = {
    "null": b"null",
    "true": b"true",
    "number": b"1",
    "text": b'"eth_chainId"',
}

BAD_IDS = {
    "fraction": "1.5",
    "point-first": ".5",
    "over-safe": "9007199254740993",
    "two-to-53": "9007199254740992",
    "huge": "1" + "0" * 400,
    "huge-exponent": "1e400",
    "exponent-over-safe": "1e16",
    "minus-over-safe": "-9007199254740993",
    "tiny": "1e-5",
    "true": "true",
    "list": "[1]",
    "object": '{"a":1}',
    "long": '"' + "a" * 65 + '"',
    "control": '"a\\u0001"',
    "newline": '"a\\nb"',
    "quote": '"a\\"b"',
    "backslash": '"a\\\\b"',
    "lone-surrogate": '"\\ud800"',
    "lone-low-surrogate": '"\\udc00"',
    "non-ascii": '"\u00e9"',
    "escaped-non-ascii": '"\\u00e9"',
    "line-separator": '"\\u2028"',
    "delete": '"\\u007f"',
    "injection": '"x\\",\\"method\\":\\"admin_peers"',
}

# The first two are not JSON, but njs reads them; what it forwards is.
GOOD_IDS = {
    "leading-zero": ("01", "1"),
    "point-last": ("1.", "1"),
    "null": ("null", "null"),
    "zero": ("0", "0"),
    "minus-zero": ("-0", "0"),
    "minus-zero-fraction": ("-0.0", "0"),
    "negative": ("-7", "-7"),
    "exponent": ("1e3", "1000"),
    "exponent-capital": ("1E+2", "100"),
    "fraction-whole": ("5.0", "5"),
    "max-safe": ("9007199254740991", "9007199254740991"),
    "text": ('"abc-1"', '"abc-1"'),
    "empty-text": ('""', '""'),
    "escaped-ascii": ('"\\u0041"', '"A"'),
    "text-64": ('"' + "z" * 64 + '"', '"' + "z" * 64 + '"'),
    "number-like-text": ('"1e3"', '"1e3"'),
}

BAD_UTF8 = {
    "byte-ff": b"\xff",
    "lone-continuation": b"\x80",
    "overlong-slash": b"\xc0\xaf",
    "truncated": b"\xe2\x82",
    "surrogate": b"\xed\xa0\x80",
    "beyond-unicode": b"\xf4\x90\x80\x80",
}


def cases() -> Iterator[Case]:
    """All of this group."""
    yield from _keys()
    yield from _methods()
    yield from _documents()
    yield from _ids()
    yield from _batches()


def _keys() -> Iterator[Case]:
    for name, key in FOLDED_KEYS.items():
        call = f'{{"jsonrpc":"2.0","id":1,"method":"eth_chainId",{key}:"admin_peers"}}'
        yield Case("keys", name, "devices", post(call.encode()), "member")
    for name in ("Method", "Params", "ID"):
        call = f'{{"{name}":"admin_peers","jsonrpc":"2.0","id":1,"method":"eth_chainId"}}'
        yield Case("keys", f"first-{name.lower()}", "wallets", post(call.encode()), "member")
    last = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","method":"admin_peers"}'
    yield Case("keys", "twice-method-bad-last", "devices", post(last), "method", call_id=1)
    first = b'{"jsonrpc":"2.0","id":1,"method":"admin_peers","method":"eth_chainId"}'
    yield Case("keys", "twice-method-good-last", "devices", post(first), forwarded=CHAIN_ID)
    escaped = b'{"jsonrpc":"2.0","id":1,"\\u006dethod":"eth_chainId"}'
    yield Case("keys", "escaped-method", "devices", post(escaped), forwarded=CHAIN_ID)
    twice = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","\\u006dethod":"admin_peers"}'
    yield Case("keys", "twice-method-escaped", "devices", post(twice), "method", call_id=1)
    twice_id = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","id":2}'
    yield Case("keys", "twice-id", "devices", post(twice_id), forwarded=anew("eth_chainId", "", "2"))


def _methods() -> Iterator[Case]:
    for block in ("devices", "wallets"):
        for method in FORBIDDEN_METHODS:
            yield Case(f"methods-{block}", method, block, post(asked(method, [])), "method", call_id=1)
        for name, method in DISGUISED_METHODS.items():
            yield Case(f"methods-{block}", f"as-{name}", block, post(asked(method, [])), "method", call_id=1)
    for method, params in _known(WALLETS, ALLOWED_FOR_WALLETS):
        yield Case("methods-devices", f"wallets-{method}", "devices", post(asked(method, params)), "method", call_id=1)
    for method, params in _known(DEVICES, ALLOWED_FOR_DEVICES):
        yield Case("methods-wallets", f"devices-{method}", "wallets", post(asked(method, params)), "method", call_id=1)
    for name, value in (("number", "1"), ("null", "null"), ("list", '["eth_chainId"]'), ("object", "{}")):
        call = f'{{"jsonrpc":"2.0","id":1,"method":{value},"params":[]}}'
        yield Case("methods-devices", f"type-{name}", "devices", post(call.encode()), "request", INCOMPLETE)


def _known(methods: Collection[str], calls: list[dict[str, Any]]) -> Iterator[tuple[str, list[Any]]]:
    """A good call of each method that one block alone allows."""
    found = {call["method"]: call["params"] for call in calls}
    yield from ((method, found[method]) for method in methods)


def _documents() -> Iterator[Case]:
    for name, body in NOT_JSON.items():
        yield Case("json", name, "devices", post(body), "json")
    for name, body in NO_REQUEST.items():
        yield Case("json", name, "devices", post(body), "request", PLAIN_REQUEST)
    for name, junk in BAD_UTF8.items():
        key = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId","x' + junk + b'":1}'
        yield Case("utf8", f"key-{name}", "devices", post(key), "member")
        call_id = b'{"jsonrpc":"2.0","id":"a' + junk + b'","method":"eth_chainId"}'
        yield Case("utf8", f"id-{name}", "devices", post(call_id), "id")
        method = b'{"jsonrpc":"2.0","id":1,"method":"eth_chainId' + junk + b'"}'
        yield Case("utf8", f"method-{name}", "wallets", post(method), "method", call_id=1)
    for depth in (33, 100, 1000, 30000):
        nested: list[Piece] = [{"repeat": "[", "times": depth}, {"repeat": "]", "times": depth}]
        yield Case("json", f"deep-{depth}", "devices", post(nested), "json")
    for depth in (33, 10000):
        head = '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":'
        inside: list[Piece] = [head, {"repeat": '{"a":', "times": depth}, "1", {"repeat": "}", "times": depth}, "}"]
        yield Case("json", f"deep-params-{depth}", "devices", post(inside), "json")
    for name, value in (
        ("missing", ""),
        ("old", '"jsonrpc":"1.0",'),
        ("number", '"jsonrpc":2.0,'),
        ("null", '"jsonrpc":null,'),
    ):
        call = "{" + value + '"id":1,"method":"eth_chainId","params":[]}'
        yield Case("json", f"version-{name}", "devices", post(call.encode()), "request", INCOMPLETE)
    spaced = b' \r\n\t{ "jsonrpc" : "2.0" , "id" : 1 , "method" : "eth_chainId" } \n'
    yield Case("json", "white-space", "devices", post(spaced), forwarded=CHAIN_ID)
    for name, value in (("object", "{}"), ("text", '"x"'), ("number", "1"), ("null", "null"), ("false", "false")):
        call = f'{{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":{value}}}'
        yield Case("json", f"params-{name}", "devices", post(call.encode()), "params", "parameters must be a list", 1)


def _ids() -> Iterator[Case]:
    for name, value in BAD_IDS.items():
        call = f'{{"jsonrpc":"2.0","id":{value},"method":"eth_chainId"}}'
        yield Case("ids", name, "devices", post(call.encode()), "id")
    yield Case("ids", "missing", "devices", post(b'{"jsonrpc":"2.0","method":"eth_chainId"}'), "id")
    for name, (value, written) in GOOD_IDS.items():
        call = f'{{"jsonrpc":"2.0","id":{value},"method":"eth_chainId"}}'
        yield Case("ids", f"good-{name}", "devices", post(call.encode()), forwarded=anew("eth_chainId", "", written))


def _batches() -> Iterator[Case]:
    good, raw = asked("eth_chainId", []), asked("eth_sendRawTransaction", ["0xf86b"])

    def batch(*parts: bytes) -> list[Piece]:
        return post(b"[" + b",".join(parts) + b"]")

    yield Case("batches", "empty", "devices", batch(), "batch")
    yield Case("batches", "of-33", "devices", batch(*[good] * 33), "batch")
    yield Case("batches", "of-33-wallets", "wallets", batch(*[good] * 33), "batch")
    huge: list[Piece] = ["[", {"repeat": "1,", "times": 30000}, "1]"]
    yield Case("batches", "of-30001", "devices", post(huge), "batch")
    yield Case("batches", "of-32", "devices", batch(*[good] * 32), forwarded="[" + ",".join([CHAIN_ID] * 32) + "]")
    yield Case("batches", "last-forbidden", "devices", batch(good, asked("admin_peers", [])), "method")
    yield Case("batches", "first-forbidden", "wallets", batch(asked("debug_setHead", ["0x0"]), good), "method")
    yield Case("batches", "nested", "devices", batch(b"[" + good + b"]"), "request", PLAIN_REQUEST)
    yield Case("batches", "nested-empty", "devices", batch(b"[]"), "request", PLAIN_REQUEST)
    yield Case("batches", "with-null", "devices", batch(good, b"null"), "request", PLAIN_REQUEST)
    yield Case("batches", "with-number", "devices", batch(b"1", good), "request", PLAIN_REQUEST)
    yield Case("batches", "with-write", "devices", batch(good, raw), "batch_write")
    yield Case("batches", "only-write", "wallets", batch(raw), "batch_write")
    yield Case("batches", "with-folded-key", "devices", batch(good, good[:-1] + b',"Method":"admin_peers"}'), "member")
    yield Case("batches", "with-bad-id", "devices", batch(good, asked("eth_chainId", [], 1.5)), "id")
    yield Case("batches", "object-with-length", "devices", post(b'{"0":' + good + b',"length":1}'), "member")
    yield Case("batches", "same-ids", "devices", batch(good, good), forwarded=f"[{CHAIN_ID},{CHAIN_ID}]")
