"""What ready.json says; pure."""

from geth_network.network import Network, Role


def ready_document(network: Network, signers: list[str], pid: int) -> dict[str, object]:
    """The text of ready.json, as a document."""
    return {
        "pid": pid, "chain_id": network.chain_id, "genesis_hash": network.genesis_hash, "period_s": network.period_s,
        "epoch": network.epoch, "sealers": signers, "treasury": network.treasury, "kind": network.kind,
        "rpc": [f"http://127.0.0.1:{node.rpc_port}" for node in network.of_role(Role.RPC)],
    }  # fmt: skip
