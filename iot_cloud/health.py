"""What a monitoring system is told of the cloud: its parts, and when the next certificate ends."""

from collections.abc import Sequence

from iot_cloud.child import Child
from iot_cloud.monitor import Figure, Health
from iot_cloud.registry import Registry


def look(children: Sequence[Child], registry: Registry) -> Health:
    """Look at the processes and into the registry."""
    alive = {child.name: child.pid is not None for child in children}
    active = registry.all_active()
    figures = [Figure("lading_cloud_part_up", int(up), {"part": name}) for name, up in alive.items()]
    figures.append(Figure("lading_cloud_certificates", len(active)))
    if active:
        soonest = min(one.not_after for one in active)
        figures.append(Figure("lading_cloud_next_certificate_end_timestamp_seconds", soonest))
    return Health(tuple(figures), tuple(f"the {name} does not run" for name, up in alive.items() if not up))
