"""JSON Merge Patch (RFC 7396)."""

from collections.abc import Mapping

from oncue.core.json_text import Json


def merge_patch(target: Json, patch: Json) -> Json:
    """
    Return `target` with `patch` applied: null removes, lists are replaced whole.

    >>> merge_patch({"a": 1, "b": {"c": 2}}, {"a": None, "b": {"d": 3}})
    {'b': {'c': 2, 'd': 3}}
    """
    if not isinstance(patch, Mapping):
        return patch
    merged: dict[str, Json] = {**target} if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged
