"""The access log is JSON that an auditor can read, and holds no secret; counts of it are metrics."""

import json
from typing import Any

from tests.proxy.authority import Identity
from tests.proxy.running import Running, ask, await_until, basic, rpc

VOUCHER = "5ec3e7" * 20
KEYS = {
    "time",
    "block",
    "address",
    "device",
    "method",
    "verdict",
    "status",
    "upstream",
    "upstream_s",
    "s",
    "request_id",
}


def entries(gateway: Running) -> list[dict[str, Any]]:
    """The access log."""
    return [json.loads(line) for line in (gateway.folder / "logs" / "access.log").read_text().splitlines()]


def entry(gateway: Running, request_id: str) -> dict[str, Any]:
    """The log's line about one answer."""
    return await_until(
        lambda: next((one for one in entries(gateway) if one["request_id"] == request_id), None), "the line"
    )


def test_line_says_who_asked_what_and_how_it_ended(shared: Running, shared_node: Any, device: Identity) -> None:
    """Found by the answer's X-Request-Id."""
    call = rpc("eth_call", {"to": "0x" + "ab" * 20, "data": "0x8f32d59b" + VOUCHER})
    allowed = entry(shared, ask(shared.devices(device), call).headers["X-Request-Id"])
    assert set(allowed) == KEYS
    assert (allowed["device"], allowed["method"], allowed["verdict"]) == ("gate-1", "eth_call", "allowed")
    assert (allowed["status"], allowed["block"]) == (200, "devices")
    assert allowed["upstream"] == shared_node.url.removeprefix("http://")


def test_refusal_is_logged_with_its_reason(shared: Running, device: Identity) -> None:
    """The forbidden method's name is the attacker's text and stays out."""
    refused = entry(shared, ask(shared.devices(device), rpc("admin_peers")).headers["X-Request-Id"])
    assert (refused["verdict"], refused["status"], refused["method"]) == ("method", 403, "")


def test_no_log_holds_a_voucher_or_a_secret(shared: Running, device: Identity) -> None:
    """Neither what was asked nor with which credentials."""
    secret = shared.admin("POST", "/users", {"name": "logged"})[1]["secret"]
    header = basic("logged", secret)
    line = shared.devices()
    ask(line, rpc("eth_sendRawTransaction", "0x" + VOUCHER), Authorization=header)
    ask(line, rpc("eth_sign", VOUCHER), Authorization=header)
    last = ask(line, rpc("eth_chainId"), Authorization=header).headers["X-Request-Id"]
    assert entry(shared, last)["device"] == "user:logged"
    texts = [path.read_text() for path in (shared.folder / "logs").iterdir()]
    for kept in (VOUCHER, secret, header, header.split()[1]):
        assert not any(kept in text for text in texts)


def test_metrics_count_requests_and_show_the_nodes(shared: Running, shared_node: Any, device: Identity) -> None:
    """In Prometheus's format, on loopback."""
    ask(shared.devices(device), rpc("admin_peers"))
    counted = 'lading_gateway_requests_total{block="devices",verdict="method",status="403"}'
    await_until(lambda: counted in shared.status("/metrics")[1], "the count")
    text = shared.status("/metrics")[1]
    assert f'lading_gateway_node_head{{node="{shared_node.url}"}} 100' in text
    assert "lading_gateway_ok " in text
    assert shared.status("/else")[0] == 404


def test_log_is_rotated_without_losing_a_line_or_a_count(shared: Running) -> None:
    """Moved away, then `reload`: new lines come into a new file, and the metrics count both."""
    path = shared.folder / "logs" / "access.log"
    first = ask(shared.wallets(), rpc("eth_feeHistory", 0, "latest", []))
    entry(shared, first.headers["X-Request-Id"])
    before = _refused_params(shared)
    path.rename(path.with_suffix(".1"))
    second = ask(shared.wallets(), rpc("eth_feeHistory", 0, "latest", []))
    assert shared.command("reload").returncode == 0
    third = ask(shared.wallets(), rpc("eth_feeHistory", 0, "latest", []))
    entry(shared, third.headers["X-Request-Id"])
    await_until(lambda: second.headers["X-Request-Id"] in path.with_suffix(".1").read_text(), "the last line")
    await_until(lambda: _refused_params(shared) == before + 2, "both counts")


def _refused_params(gateway: Running) -> int:
    start = 'lading_gateway_requests_total{block="wallets",verdict="params",status="400"} '
    rows = [row for row in gateway.status("/metrics")[1].splitlines() if row.startswith(start)]
    return int(rows[0].removeprefix(start)) if rows else 0
