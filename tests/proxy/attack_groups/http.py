"""HTTP itself: methods, paths, lengths, smuggling, headers, encodings."""

from collections.abc import Iterator

from tests.proxy.attack_groups.case import Case, Piece, anew, asked, latin, post

GOOD = asked("eth_chainId", [])
EVIL = asked("admin_peers", [])
CHAIN_ID = anew("eth_chainId", "")
LENGTH = f"Content-Length: {len(GOOD)}"
TYPE = "Content-Type: application/json"
BODY = latin(GOOD)

PATHS = {
    "double": "//",
    "name": "/rpc",
    "query": "/?x=1",
    "bare-query": "/?",
    "dot": "/.",
    "dot-slash": "/./",
    "up-and-down": "/x/../",
    "encoded-slash": "/%2f",
    "null-file": "/index.html",
    "backslash": "/\\",
    "semicolon": "/;x",
    "fragment": "/#x",
    "refused": "/.refused/http",
    "named": "/@read",
    "stub": "/stub",
    "metrics": "/metrics",
    "healthz": "/healthz",
    "ws": "/ws",
    "graphql": "/graphql",
    "debug": "/debug/pprof/",
    "encoded-root": "/%2e",
}

ABOVE_ROOT = {"dots": "/..", "encoded-dots": "/%2e%2e/", "encoded-nul": "/%00", "far": "/../../../etc/passwd"}

VERBS = ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "MKCOL", "LOCK", "MERGE"]

TYPES = {
    "missing": "Content-Type:",
    "text": "Content-Type: text/plain",
    "form": "Content-Type: application/x-www-form-urlencoded",
    "multipart": "Content-Type: multipart/form-data; boundary=x",
    "json-rpc": "Content-Type: application/json-rpc",
    "json-seq": "Content-Type: application/json-seq",
    "suffix": "Content-Type: application/vnd.api+json",
    "utf16": "Content-Type: application/json; charset=utf-16",
    "parameter": "Content-Type: application/json; x=1",
    "list": "Content-Type: application/json, text/plain",
    "utf7": "Content-Type: application/json; charset=utf-7",
    "prefix": "Content-Type: xapplication/json",
}

ENCODINGS = ["gzip", "deflate", "br", "identity", "gzip, identity", "x-gzip"]

BROKEN: dict[str, list[str]] = {
    "cl-and-te": [LENGTH, "Transfer-Encoding: chunked"],
    "te-and-cl": ["Transfer-Encoding: chunked", LENGTH],
    "two-lengths": [LENGTH, "Content-Length: 0"],
    "same-length-twice": [LENGTH, LENGTH],
    "length-minus": ["Content-Length: -1"],
    "length-plus": [f"Content-Length: +{len(GOOD)}"],
    "length-hex": ["Content-Length: 0x10"],
    "length-list": [f"Content-Length: {len(GOOD)}, {len(GOOD)}"],
    "length-text": ["Content-Length: abc"],
    "length-empty": ["Content-Length: "],
    "length-overflow": ["Content-Length: 99999999999999999999999"],
    "te-twice": ["Transfer-Encoding: chunked", "Transfer-Encoding: chunked"],
    "no-host": [],
    "two-hosts": ["Host: gateway", "Host: other", LENGTH],
    "bad-host": ["Host: a b", LENGTH],
    "header-nul": ["Host: gateway", "X: a\x00b", LENGTH],
    "host-slash": ["Host: gateway/x", LENGTH],
}

TE_UNKNOWN = [
    "gzip",
    "identity",
    "xchunked",
    "chunked, gzip",
    "gzip, chunked",
    "chunked, identity",
    "cow",
    "\x0bchunked",
]

BAD_CHUNKS = {
    "not-hex": "zz\r\n" + BODY + "\r\n0\r\n\r\n",
    "minus": "-1\r\n" + BODY + "\r\n0\r\n\r\n",
    "plus": f"+{len(GOOD):x}\r\n{BODY}\r\n0\r\n\r\n",
    "prefix": f"0x{len(GOOD):x}\r\n{BODY}\r\n0\r\n\r\n",
    "overflow": "fffffffffffffffff\r\n" + BODY + "\r\n0\r\n\r\n",
    "no-crlf": f"{len(GOOD):x}\r\n{BODY}0\r\n\r\n",
    "too-short": f"{len(GOOD) - 3:x}\r\n{BODY}\r\n0\r\n\r\n",
}


def cases() -> Iterator[Case]:
    """All of this group."""
    yield from _targets()
    yield from _headers()
    yield from _smuggling()
    yield from _lines()
    yield from _origins()


def _targets() -> Iterator[Case]:
    for name, path in ABOVE_ROOT.items():
        yield Case("paths", name, "devices", post(GOOD, line=f"POST {path} HTTP/1.1"), "http")
    for name, path in PATHS.items():
        yield Case("paths", name, "devices", post(GOOD, line=f"POST {path} HTTP/1.1"), "path")
    for verb in VERBS:
        body = [] if verb == "HEAD" else [BODY]
        head = f"{verb} / HTTP/1.1\r\nHost: gateway\r\nConnection: close\r\n{TYPE}\r\n"
        send: list[Piece] = [head + (f"{LENGTH}\r\n\r\n" if body else "\r\n"), *body]
        extra = {"no_body": True} if verb == "HEAD" else {}
        yield Case("verbs", verb.lower(), "devices", send, "http_method", extra=extra)
    for name in ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"):
        request = post(GOOD, f"{name}: DELETE")
        yield Case("headers", name.lower(), "devices", request, forwarded=CHAIN_ID)
    yield Case("verbs", "lower", "devices", post(GOOD, line="post / HTTP/1.1"), "http")
    yield Case("verbs", "connect", "devices", post(GOOD, line="CONNECT node:8545 HTTP/1.1"), "http")
    yield Case(
        "verbs",
        "get-with-query",
        "wallets",
        ["GET /?method=admin_peers HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"],
        "path",
    )
    absolute = post(GOOD, line="POST http://127.0.0.1:8545/ HTTP/1.1")
    yield Case("paths", "absolute-root", "devices", absolute, forwarded=CHAIN_ID)
    yield Case("paths", "absolute-path", "devices", post(GOOD, line="POST http://node:8545/x HTTP/1.1"), "path")
    upgrade = "GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n\r\n"
    yield Case("verbs", "websocket", "devices", [upgrade], "http_method")
    yield Case("verbs", "websocket-wallets", "wallets", [upgrade], "http_method")


def _headers() -> Iterator[Case]:
    for name, header in TYPES.items():
        yield Case("types", name, "devices", post(GOOD, header), "content_type")
    for good in ("application/json; charset=utf-8", "Application/JSON", "application/json;charset=UTF-8"):
        name = f"good-{len(good)}"
        yield Case("types", name, "devices", post(GOOD, f"Content-Type: {good}"), forwarded=CHAIN_ID)
    for number, encoding in enumerate(ENCODINGS):
        request = post(GOOD, f"Content-Encoding: {encoding}")
        yield Case("types", f"encoding-{number}", "devices", request, "content_encoding")
    for name in ("Forwarded: for=1.2.3.4", "X-Forwarded-For: 127.0.0.1", "X-Real-IP: 127.0.0.1",
                 "X-Original-URL: /admin",
                 "X-Rewrite-URL: /admin", "X-Accel-Redirect: /stub", "X-Device: gate-2", "SSL-Client-Verify: SUCCESS",
                 "X-SSL-Client-Serial: 00", "Proxy-Authorization: Basic eDp5", "Te: trailers", "Trailer: X",
                 "Expect: nothing",
                 "Cookie: device=gate-2", "Max-Forwards: 0", "Via: 1.1 x", "Origin: http://evil.example"):  # fmt: skip
        label = name.split(":")[0].lower()
        yield Case("headers", label, "devices", post(GOOD, name), forwarded=CHAIN_ID)
    for host in ("localhost", "127.0.0.1:8545", "evil.example", "[::1]", "xn--e1afmkfd"):
        label = "host-" + host.strip("[]").replace(":", "-").replace("--", "-")
        pieces = [str(p).replace("Host: gateway", f"Host: {host}") for p in post(GOOD)]
        yield Case("headers", label, "devices", list(pieces), forwarded=CHAIN_ID)
    long: list[Piece] = [
        "POST / HTTP/1.1\r\nHost: x\r\nX: ",
        {"repeat": "a", "times": 9000},
        f"\r\n{LENGTH}\r\n\r\n",
        BODY,
    ]
    yield Case("headers", "long", "devices", long, "http")
    many: list[Piece] = [
        "POST / HTTP/1.1\r\nHost: x\r\n",
        {"repeat": "X-A: " + "b" * 100 + "\r\n", "times": 500},
        "\r\n",
    ]
    yield Case("headers", "many", "devices", many, "http")
    uri: list[Piece] = ["POST /", {"repeat": "a", "times": 9000}, " HTTP/1.1\r\nHost: x\r\n\r\n"]
    yield Case("headers", "long-path", "devices", uri, "http")
    space: list[Piece] = [{"repeat": " ", "times": 65536 - len(GOOD) + 1}, BODY]
    yield Case("sizes", "one-over", "devices", post(space), "size")
    yield Case("sizes", "one-over-wallets", "wallets", post(space), "size")
    full: list[Piece] = [{"repeat": " ", "times": 65536 - len(GOOD)}, BODY]
    yield Case("sizes", "exactly-64k", "devices", post(full), forwarded=CHAIN_ID)
    claimed = f"POST / HTTP/1.1\r\nHost: x\r\n{TYPE}\r\nContent-Length: 10000000\r\nConnection: close\r\n\r\n"
    yield Case("sizes", "claimed-10m", "devices", [claimed], "size")
    chunk: list[Piece] = [_chunked(), "20000\r\n", {"repeat": " ", "times": 0x20000}, "\r\n0\r\n\r\n"]
    yield Case("sizes", "chunked-128k", "devices", chunk, "size")
    expect = post(GOOD, "Expect: 100-continue")
    yield Case("headers", "expect-continue", "devices", expect, forwarded=CHAIN_ID, extra={"continue": True})


def _smuggling() -> Iterator[Case]:
    for name, headers in BROKEN.items():
        head = ["POST / HTTP/1.1", TYPE, *headers]
        if not any(h.startswith("Host") for h in headers) and name != "no-host":
            head.insert(1, "Host: gateway")
        yield Case("smuggling", name, "devices", ["\r\n".join(head) + "\r\n\r\n", BODY], "http")
    for number, value in enumerate(TE_UNKNOWN):
        send: list[Piece] = [f"POST / HTTP/1.1\r\nHost: x\r\n{TYPE}\r\nTransfer-Encoding: {value}\r\n\r\n", BODY]
        yield Case("smuggling", f"te-unknown-{number}", "devices", send, "http_method", status=405)
    for name, chunks in BAD_CHUNKS.items():
        yield Case("smuggling", f"chunk-{name}", "devices", [_chunked(), chunks], "http")
    fine = f"{len(GOOD):x};ext=1\r\n{BODY}\r\n0\r\nX: y\r\n\r\n"
    yield Case("smuggling", "chunk-extension-and-trailer", "devices", [_chunked(), fine], forwarded=CHAIN_ID)
    hidden = (
        f"POST / HTTP/1.1\r\nHost: x\r\n{TYPE}\r\nContent-Length: {len(EVIL)}\r\nConnection: close\r\n\r\n{latin(EVIL)}"
    )
    first = f"POST / HTTP/1.1\r\nHost: x\r\n{TYPE}\r\n{LENGTH}\r\n\r\n{BODY}"
    yield Case(
        "smuggling",
        "pipelined-evil-second",
        "devices",
        [first + hidden],
        "method",
        call_id=1,
        answers=2,
        forwarded=CHAIN_ID,
    )
    inside = [
        f"POST / HTTP/1.1\r\nHost: x\r\n{TYPE}\r\nContent-Length: {len(hidden)}\r\nConnection: close\r\n\r\n{hidden}"
    ]
    yield Case("smuggling", "request-as-body", "devices", list(inside), "json")
    folded = f"POST / HTTP/1.1\r\nHost: x\r\n{TYPE}\r\nX: a\r\n Content-Length: 0\r\n{LENGTH}\r\n\r\n{BODY}"
    yield Case("smuggling", "folded-header", "devices", [folded], "http")
    spaced = f"POST / HTTP/1.1\r\nHost: x\r\n{TYPE}\r\nContent-Length : {len(GOOD)}\r\nConnection: close\r\n\r\n{BODY}"
    yield Case("smuggling", "space-before-colon", "devices", [spaced], "http")


def _lines() -> Iterator[Case]:
    old = f"POST / HTTP/1.0\r\n{TYPE}\r\n{LENGTH}\r\n\r\n{BODY}"
    yield Case("lines", "http-1.0", "devices", [old], forwarded=CHAIN_ID)
    chunked_old = f"POST / HTTP/1.0\r\n{TYPE}\r\nTransfer-Encoding: chunked\r\n\r\n{len(GOOD):x}\r\n{BODY}\r\n0\r\n\r\n"
    yield Case("lines", "http-1.0-chunked", "devices", [chunked_old], "http")
    for name, line in (("http-2.0", "POST / HTTP/2.0"), ("http-9.9", "POST / HTTP/9.9"), ("http-x", "POST / HTTP/x"),
                       ("no-version-word", "POST / XTTP/1.1"), ("two-spaces-in", "POST / / HTTP/1.1"),
                       ("no-path", "POST HTTP/1.1"), ("star", "POST * HTTP/1.1"),
                       ("relative", "POST rpc HTTP/1.1")):  # fmt: skip
        yield Case("lines", name, "devices", post(GOOD, line=line), "http")
    yield Case("lines", "garbage", "devices", ["\x00\x01\x02\x03\r\n\r\n"], "http")
    yield Case("lines", "http2-preface", "devices", ["PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"], "http")
    yield Case(
        "lines", "tls-hello-to-plain", "wallets", ["\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n"], "http"
    )
    yield Case("lines", "http-to-tls", "devices", post(GOOD), "plain_http", identity="plain")
    yield Case(
        "lines",
        "bare-lf",
        "devices",
        [f"POST / HTTP/1.1\nHost: x\n{TYPE}\n{LENGTH}\nConnection: close\n\n{BODY}"],
        forwarded=CHAIN_ID,
    )
    smtp: list[Piece] = ["HELO x\r\nMAIL FROM: a\r\n\r\n"]
    yield Case("lines", "smtp", "devices", smtp, "http")


def _origins() -> Iterator[Case]:
    for number, origin in enumerate(("http://evil.example", "null", "http://127.0.0.1:8080.evil.example", "http://127.0.0.1",
                                     "https://127.0.0.1:8080", "http://127.0.0.1:8081", "http://user@127.0.0.1:8080",
                                     "http://evil.example/chrome-extension://x", "file://", "")):  # fmt: skip
        yield Case("origins", f"post-{number}", "wallets", post(GOOD, f"Origin: {origin}"), "origin")
        head = f"OPTIONS / HTTP/1.1\r\nHost: x\r\nOrigin: {origin}\r\nConnection: close\r\n\r\n"
        yield Case("origins", f"preflight-{number}", "wallets", [head], "origin")


def _chunked() -> str:
    return f"POST / HTTP/1.1\r\nHost: x\r\n{TYPE}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
