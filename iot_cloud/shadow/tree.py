"""Trees of JSON values: equality, merging, differences, and the metadata that runs beside them. Pure.

Metadata mirrors its tree: an object for an object, an array for an array, `{"timestamp": t}` for a leaf.
"""

import math
from typing import Any, TypeAlias

Json: TypeAlias = Any
Object: TypeAlias = dict[str, Any]


def same(left: Json, right: Json) -> bool:
    """JSON equality: `1` equals `1.0`, and `true` is not `1`."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)


def stamp(value: Json, now: int) -> Json:
    """Fresh metadata for a whole value."""
    if isinstance(value, dict):
        return {key: stamp(child, now) for key, child in value.items()}
    if isinstance(value, list):
        return [stamp(child, now) for child in value]
    return {"timestamp": now}


def without_nulls(value: Json) -> Json:
    """The value as it is stored for the first time: `null` deletes, also where nothing was."""
    if isinstance(value, dict):
        return {key: without_nulls(child) for key, child in value.items() if child is not None}
    return value


def merge(tree: Object, metadata: Object, patch: Object, now: int) -> tuple[Object, Object]:
    """The tree and its metadata after a patch; the arguments stay as they are.

    Objects merge deeply, `null` deletes, everything else (arrays too) replaces; untouched leaves keep their times.
    """
    tree, metadata = dict(tree), dict(metadata)
    for key, value in patch.items():
        if value is None:
            tree.pop(key, None)
            metadata.pop(key, None)
        elif isinstance(value, dict) and isinstance(tree.get(key), dict):
            tree[key], metadata[key] = merge(tree[key], metadata[key], value, now)
        else:
            tree[key] = without_nulls(value)
            metadata[key] = stamp(tree[key], now)
    return tree, metadata


def difference(desired: Object, reported: Object, metadata: Object) -> tuple[Object, Object]:
    """What is desired and not reported, with the metadata of desired; both empty when nothing is outstanding."""
    delta: Object = {}
    times: Object = {}
    for key, value in desired.items():
        other = reported.get(key)
        if isinstance(value, dict) and isinstance(other, dict):
            nested, nested_times = difference(value, other, metadata[key])
            if nested:
                delta[key], times[key] = nested, nested_times
        elif key not in reported or not same(value, other):
            delta[key], times[key] = value, metadata[key]
    return delta, times


def depth(value: Json) -> int:
    """How many objects and arrays lie in one another; a leaf has none."""
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0


def has_null_in_array(value: Json, *, inside: bool = False) -> bool:
    """Whether a `null` stands anywhere inside an array, where it could delete nothing."""
    if value is None:
        return inside
    if isinstance(value, dict):
        return any(has_null_in_array(child, inside=inside) for child in value.values())
    return isinstance(value, list) and any(has_null_in_array(child, inside=True) for child in value)


def finite(text: str) -> float:
    """A JSON number as a float; ValueError where it is too large for one."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is out of range")
    return number
