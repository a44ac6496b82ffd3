"""What a body means to geth: an independent, strict decoder that folds keys as Go's encoding/json does."""

import json
import re
from collections.abc import Callable
from typing import Any

ADDRESS = r"0x[0-9a-fA-F]{40}"
HASH = r"0x[0-9a-fA-F]{64}"
HEX = r"0x(?:[0-9a-fA-F]{2})*"
NUMBER = r"0x(?:0|[1-9a-fA-F][0-9a-fA-F]{0,15})"
QUANTITY = r"0x(?:0|[1-9a-fA-F][0-9a-fA-F]{0,63})"
SELECTORS = {"8f32d59b", "a1b2c3d4"}
WALLET_MEMBERS = {"value", "gas", "gasPrice", "maxFeePerGas", "maxPriorityFeePerGas", "type", "nonce", "chainId"}


class ForbiddenError(Exception):
    """A node would do something with this that nobody allowed."""


def check(body: bytes, *, wallet: bool) -> None:
    """Decode as strictly as can be, fold as Go does, and find only allowed calls.

    Raises:
        ForbiddenError: it is anything else.
    """
    try:
        decoded = json.loads(body.decode("utf-8"), object_pairs_hook=_unfolded, parse_constant=_no_constant)
    except ValueError as error:
        raise ForbiddenError(f"not JSON: {error}") from error
    calls = decoded if isinstance(decoded, list) else [decoded]
    _need(1 <= len(calls) <= 32, "size of the batch")
    for call in calls:
        _check_call(call, wallet=wallet, alone=not isinstance(decoded, list))


def _unfolded(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    folded = [key.casefold() for key, _ in pairs]
    _need(len(set(folded)) == len(folded), f"keys that fold together: {folded}")
    return dict(pairs)


def _no_constant(name: str) -> None:
    raise ForbiddenError(name)


def _need(condition: object, what: str) -> None:
    if not condition:
        raise ForbiddenError(what)


def _check_call(call: Any, *, wallet: bool, alone: bool) -> None:
    _need(isinstance(call, dict), "a call that is no object")
    _need(set(call) == {"jsonrpc", "id", "method", "params"}, f"members {set(call)}")
    _need(call["jsonrpc"] == "2.0", "version")
    _check_id(call["id"])
    method, params = call["method"], call["params"]
    _need(isinstance(params, list), "params")
    rule = {**COMMON, **(WALLETS if wallet else DEVICES)}.get(method) if isinstance(method, str) else None
    _need(rule, f"method {method!r}")
    _need(alone or method != "eth_sendRawTransaction", "a write in a batch")
    rule(params, wallet)


def _check_id(value: Any) -> None:
    plain = value is None or (isinstance(value, str) and len(value) <= 64 and value.isascii() and value.isprintable())
    whole = type(value) is int and abs(value) <= 2**53 - 1
    _need(plain or whole, f"id {value!r}")


def _like(pattern: str, value: Any, what: str) -> None:
    _need(isinstance(value, str) and re.fullmatch(pattern, value), f"{what} {value!r}")


def _tag(value: Any, wallet: bool) -> None:
    if not (value == "latest" or (wallet and value == "pending")):
        _like(NUMBER, value, "block")


def _nothing(params: list[Any], wallet: bool) -> None:
    _need(params == [], "parameters where none belong")


def _call(params: list[Any], wallet: bool) -> None:
    _need(len(params) == 2, "parameters of eth_call")
    _call_object(params[0], wallet)
    _tag(params[1], wallet)


def _estimate(params: list[Any], wallet: bool) -> None:
    _need(1 <= len(params) <= 2, "parameters of eth_estimateGas")
    _call_object(params[0], wallet)
    if len(params) == 2:
        _tag(params[1], wallet)


def _call_object(call: Any, wallet: bool) -> None:
    _need(isinstance(call, dict), "call")
    members = {"to", "from", "data", "input"} | (WALLET_MEMBERS if wallet else set())
    _need(set(call) <= members and "to" in call, f"members of a call {set(call)}")
    _like(ADDRESS, call["to"], "to")
    _need(int(call["to"], 16) >= 0x10000, "a precompiled contract")
    _like(ADDRESS, call.get("from", "0x" + "0" * 40), "from")
    datas = [call[key] for key in ("data", "input") if key in call]
    _need(wallet or datas, "a call without data")
    for data in datas:
        _like(HEX, data, "data")
        _need(wallet or data[2:10].lower() in SELECTORS, f"selector {data[:10]}")
    for member in WALLET_MEMBERS & set(call):
        _like(QUANTITY, call[member], member)


def _at(pattern: str) -> Callable[[list[Any], bool], None]:
    def rule(params: list[Any], wallet: bool) -> None:
        _need(len(params) == 2, "parameters")
        _like(pattern, params[0], "address")
        _tag(params[1], wallet)

    return rule


def _one(pattern: str) -> Callable[[list[Any], bool], None]:
    def rule(params: list[Any], wallet: bool) -> None:
        _need(len(params) == 1, "parameters")
        _like(pattern, params[0], "parameter")

    return rule


def _header(params: list[Any], wallet: bool) -> None:
    _need(len(params) == 2 and params[1] is False, "full blocks")
    _tag(params[0], wallet)


def _fees(params: list[Any], wallet: bool) -> None:
    _need(len(params) == 3, "parameters")
    _like(NUMBER, params[0], "blocks")
    _need(1 <= int(params[0], 16) <= 1024, "blocks")
    _tag(params[1], wallet)
    _need(isinstance(params[2], list) and len(params[2]) <= 16, "percentiles")
    _need(all(type(p) in {int, float} and 0 <= p <= 100 for p in params[2]), "percentile")


def _proof(params: list[Any], wallet: bool) -> None:
    _need(len(params) == 3, "parameters")
    _like(ADDRESS, params[0], "address")
    _need(isinstance(params[1], list) and len(params[1]) <= 2, "slots")
    for slot in params[1]:
        _like(r"0x[0-9a-fA-F]{1,64}", slot, "slot")
    _like(NUMBER, params[2], "block")


COMMON: dict[str, Callable[[list[Any], bool], None]] = {
    "eth_chainId": _nothing,
    "eth_blockNumber": _nothing,
    "eth_gasPrice": _nothing,
    "eth_call": _call,
    "eth_getBalance": _at(ADDRESS),
    "eth_getCode": _at(ADDRESS),
    "eth_getTransactionCount": _at(ADDRESS),
    "eth_getBlockByNumber": _header,
    "eth_getTransactionByHash": _one(HASH),
    "eth_getTransactionReceipt": _one(HASH),
    "eth_sendRawTransaction": _one(HEX),
    "eth_feeHistory": _fees,
}
DEVICES = {"eth_getProof": _proof}
WALLETS = {"net_version": _nothing, "eth_maxPriorityFeePerGas": _nothing, "eth_estimateGas": _estimate}
