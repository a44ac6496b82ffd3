"""A sale's proof as a file: what a majority of the sealers signed about it, to keep and to check without any node."""

from collections.abc import Sequence
from pathlib import Path

from contracts.batch import Request
from contracts.batch import RpcError as NoResult
from contracts.proof_errors import ProofError
from contracts.proof_export import export_proof
from contracts.seals import SealRules
from webapp.chain import Chain
from webapp.errors import Refused
from webapp.node import RpcError
from webapp.settings import read_json


def proof_of(chain: Chain, home: Path, address: str) -> str:
    """Return the text of the sale's proof as of a few blocks ago.

    Raises:
        Refused: there is none now, and why.
        NodeUnreachable: no node answers.
    """
    known = read_json(home / "chain" / "network.json")
    rules = SealRules(int(known.get("period_s", 1)), int(known.get("epoch", 1_000)))

    def call(requests: Sequence[Request]) -> list[object]:
        results = chain.node.batch(requests)
        return [NoResult(one.number or 0, str(one)) if isinstance(one, RpcError) else one for one in results]

    try:
        return export_proof(call, address, chain.deployments, rules)
    except ProofError as error:
        raise Refused(f"There is no proof of this sale now: {error}.") from error
