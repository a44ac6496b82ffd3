"""Which nodes deserve requests: the rule for laggards and for those that do not answer. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

MISSES = 2
RECOVERIES = 2


@dataclass(frozen=True)
class Node:
    """What the last polls said of one node."""

    head: int | None = None
    misses: int = 0
    healthy: int = 0
    down: bool = False


@dataclass(frozen=True)
class Health:
    """All nodes, and the highest head that any of them has now."""

    nodes: Mapping[str, Node] = field(default_factory=dict)
    best: int | None = None

    @property
    def down(self) -> frozenset[str]:
        """The nodes that get no requests."""
        return frozenset(url for url, node in self.nodes.items() if node.down)

    @property
    def answering(self) -> bool:
        """Whether any node has answered lately."""
        return any(node.misses < MISSES for node in self.nodes.values())


def observe(health: Health, heads: Mapping[str, int | None], max_lag_blocks: int) -> Health:
    """The health after one more poll (url → head, or None for no answer).

    A laggard is out at once, a silent node after two polls, both are back after two good polls. While no node
    answers, nobody is taken out: whoever comes back first shall be found.
    """
    known = [head for head in heads.values() if head is not None]
    if not known:
        return Health({url: _silent(_node(health, url)) for url in heads}, None)
    best = max(known)
    judged = {url: _judge(_node(health, url), head, best - max_lag_blocks) for url, head in heads.items()}
    return Health(_never_all_down(judged, best), best)


def _judge(node: Node, head: int | None, least: int) -> Node:
    if head is None:
        misses = node.misses + 1
        return Node(None, misses, 0, node.down or misses >= MISSES)
    if head < least:
        return Node(head, 0, 0, down=True)
    healthy = node.healthy + 1
    return Node(head, 0, healthy, node.down and healthy < RECOVERIES)


def _silent(node: Node) -> Node:
    return replace(node, head=None, misses=node.misses + 1, healthy=0)


def _never_all_down(nodes: dict[str, Node], best: int) -> dict[str, Node]:
    if not all(node.down for node in nodes.values()):
        return nodes
    return {url: replace(node, down=node.head != best) for url, node in nodes.items()}


def _node(health: Health, url: str) -> Node:
    return health.nodes.get(url, Node())
