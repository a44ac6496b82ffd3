"""The call that nginx takes without the filter's script: whatever is one step beside it takes the long way."""

from collections.abc import Iterator

from tests.proxy.attack_groups.case import Case, Piece, latin, post
from tests.proxy.attack_groups.http import BAD_CHUNKS, BROKEN, TE_UNKNOWN, VERBS

SALE = "0x" + "ab" * 20
OURS = "0x8f32d59b"
SHAPE = '{"jsonrpc": "2.0", "method": "eth_call", "params": [{"to": "%s", "data": "%s"}, "%s"], "id": %s}'
COMMON = SHAPE % (SALE, OURS, "latest", "1")
ANEW = '{"jsonrpc":"2.0","id":1,"method":"eth_call","params":[{"to":"%s","data":"%s"},"%s"]}'
FORWARDED = ANEW % (SALE, OURS, "latest")
GOOD = COMMON.encode()
LENGTH = f"Content-Length: {len(GOOD)}"
TYPE = "Content-Type: application/json"

BESIDE: dict[str, tuple[bytes, str, str | None]] = {
    "bom": (b"\xef\xbb\xbf" + GOOD, "json", None),
    "nul-before": (b"\x00" + GOOD, "json", None),
    "nul-behind": (GOOD + b"\x00", "json", None),
    "twice": (GOOD + GOOD, "json", None),
    "comment-behind": (GOOD + b"//", "json", None),
    "comma-behind": (GOOD + b",", "json", None),
    "version": (COMMON.replace('"2.0"', '"2x0"').encode(), "request", 'a request needs jsonrpc "2.0" and a method'),
    "folded-method": (COMMON.replace('"id"', '"Method": "admin_peers", "id"').encode(), "member", None),
    "folded-params": (COMMON.replace('"id"', '"param\u017f": [], "id"').encode(), "member", None),
    "method-nul": (COMMON.replace("eth_call", "eth_call\\u0000").encode(), "method", None),
    "method-upper": (COMMON.replace("eth_call", "ETH_CALL").encode(), "method", None),
    "override": (COMMON.replace('"latest"]', '"latest", {}]').encode(), "params", "wrong number of parameters"),
    "gas": (COMMON.replace('"}, "l', '", "gas": "0xff"}, "l').encode(), "params", "a call may not carry this member"),
    "selector-upper-x": (COMMON.replace(OURS, "0X8f32d59b").encode(), "params", "not call data"),
    "selector-foreign": (COMMON.replace(OURS, "0xa9059cbb").encode(), "selector", None),
    "selector-short": (COMMON.replace(OURS, "0x8f32d5").encode(), "selector", None),
    "data-odd": (COMMON.replace(OURS, OURS + "0").encode(), "params", "not call data"),
    "data-raw-newline": (COMMON.replace(OURS, OURS + "\n").encode(), "json", None),
    "data-newline": (COMMON.replace(OURS, OURS + "\\n").encode(), "params", "not call data"),
    "precompile": (COMMON.replace(SALE, "0x" + "0" * 39 + "9").encode(), "precompile", None),
    "tag-pending": (COMMON.replace("latest", "pending").encode(), "params", "not latest or a block number"),
    "tag-upper": (COMMON.replace("latest", "LATEST").encode(), "params", "not latest or a block number"),
    "tag-zero": (COMMON.replace("latest", "0x00").encode(), "params", "not latest or a block number"),
    "id-unsafe": (COMMON.replace('"id": 1', '"id": 9007199254740993').encode(), "id", None),
    "id-fraction": (COMMON.replace('"id": 1', '"id": 1.5').encode(), "id", None),
}
# These mean the same call, and are forwarded as the same bytes.
SAME = {
    "space-behind": GOOD + b" ",
    "newline-behind": GOOD + b"\n",
    "space-before": b" " + GOOD,
    "crlf-between": COMMON.replace(", ", ",\r\n").encode(),
    "minus-free-exponent": COMMON.replace('"id": 1', '"id": 1e0').encode(),
    "escaped": COMMON.replace("eth_call", "eth\\u005fcall").encode(),
    "leading-zero": COMMON.replace('"id": 1', '"id": 01').encode(),
    "plain": GOOD,
}


def cases() -> Iterator[Case]:
    """All of this group."""
    for name, (body, refusal, words) in BESIDE.items():
        call_id = None if refusal in {"json", "member", "request", "id"} else 1
        yield Case("common-call", f"beside-{name}", "devices", post(body), refusal, words, call_id)
    for name, body in SAME.items():
        yield Case("common-call", f"same-{name}", "devices", post(body), forwarded=FORWARDED)
        yield Case("common-call", f"same-{name}-wallets", "wallets", post(body), forwarded=FORWARDED)
    yield from _who()
    yield from _how()


def _who() -> Iterator[Case]:
    yield Case("common-call", "nobody", "devices", post(GOOD), "credentials", identity="none")
    yield Case("common-call", "plain", "devices", post(GOOD), "plain_http", identity="plain")
    wrong = post(GOOD, "Authorization: Basic cGk6eA==")
    yield Case("common-call", "wrong-secret", "devices", wrong, "credentials", identity="none")
    yield Case("common-call", "not-admitted", "devices", post(GOOD), "not_admitted", identity="same-name")
    words = "certificate refused: FAILED:certificate revoked"
    yield Case("common-call", "revoked", "devices", post(GOOD), "certificate", words, identity="revoked")
    yield Case("common-call", "other-page", "wallets", post(GOOD, "Origin: http://evil.example"), "origin")
    page = post(GOOD, "Origin: http://127.0.0.1:8080")
    yield Case("common-call", "our-page", "wallets", page, forwarded=FORWARDED)


def _how() -> Iterator[Case]:
    for path in ("/.quick", "/.checked", "/.read", "/.write", "/.body", "/.refused/rate"):
        name = f"path{path.replace('/', '-').replace('.', '')}"
        yield Case("common-call", name, "devices", post(GOOD, line=f"POST {path} HTTP/1.1"), "path")
    for verb in VERBS:
        if verb != "HEAD":
            request = post(GOOD, line=f"{verb} / HTTP/1.1")
            yield Case("common-call", f"verb-{verb.lower()}", "devices", request, "http_method")
    for value in ("gzip", "identity"):
        request = post(GOOD, f"Content-Encoding: {value}")
        yield Case("common-call", f"encoding-{value}", "devices", request, "content_encoding")
    yield Case("common-call", "type", "devices", post(GOOD, "Content-Type: text/plain"), "content_type")
    for name, headers in BROKEN.items():
        if name not in {"no-host", "two-hosts", "bad-host", "host-slash", "header-nul"}:
            sized = [header.replace("Content-Length: +", f"Content-Length: +{len(GOOD)}") for header in headers]
            head = "\r\n".join(["POST / HTTP/1.1", "Host: gateway", TYPE, *sized])
            yield Case("common-call", name, "devices", [head + "\r\n\r\n", COMMON], "http")
    for number, value in enumerate(TE_UNKNOWN):
        head = f"POST / HTTP/1.1\r\nHost: x\r\n{TYPE}\r\nTransfer-Encoding: {value}\r\n\r\n"
        yield Case("common-call", f"te-unknown-{number}", "devices", [head, COMMON], "http_method", status=405)
    yield from _chunks()


def _chunks() -> Iterator[Case]:
    head = f"POST / HTTP/1.1\r\nHost: x\r\n{TYPE}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    for name in BAD_CHUNKS:
        if name in {"not-hex", "minus", "overflow"}:
            size = {"not-hex": "zz", "minus": "-1", "overflow": "f" * 17}[name]
            yield Case("common-call", f"chunk-{name}", "devices", [head, f"{size}\r\n{COMMON}\r\n0\r\n\r\n"], "http")
    parts = [COMMON[:50], COMMON[50:]]
    chunked = "".join(f"{len(part):x}\r\n{part}\r\n" for part in parts) + "0\r\n\r\n"
    yield Case("common-call", "two-chunks", "devices", [head, chunked], forwarded=FORWARDED)
    size_over: list[Piece] = [head, "20000\r\n", {"repeat": " ", "times": 0x20000}, "\r\n0\r\n\r\n"]
    yield Case("common-call", "chunked-128k", "devices", size_over, "size")
    spaces: list[Piece] = [{"repeat": " ", "times": 65536 - len(GOOD) + 1}, latin(GOOD)]
    yield Case("common-call", "one-over", "devices", post(spaces), "size")
    old = f"POST / HTTP/1.0\r\n{TYPE}\r\n{LENGTH}\r\n\r\n{COMMON}"
    yield Case("common-call", "http-1.0", "devices", [old], forwarded=FORWARDED)
    expect = post(GOOD, "Expect: 100-continue")
    yield Case("common-call", "expect", "devices", expect, forwarded=FORWARDED, extra={"continue": True})
    first = f"POST / HTTP/1.1\r\nHost: x\r\n{TYPE}\r\n{LENGTH}\r\n\r\n{COMMON}"
    evil = '{"jsonrpc":"2.0","id":1,"method":"admin_peers","params":[]}'
    second = f"POST / HTTP/1.1\r\nHost: x\r\n{TYPE}\r\nContent-Length: {len(evil)}\r\nConnection: close\r\n\r\n{evil}"
    yield Case(
        "common-call", "pipelined", "devices", [first + second], "method", call_id=1, answers=2, forwarded=FORWARDED
    )
