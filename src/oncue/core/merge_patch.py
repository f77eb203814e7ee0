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


def patch_between(before: Json, after: Json) -> Json:
    """
    Return the patch that makes `after` of `before`.

    >>> patch_between({"a": 1, "b": {"c": 2, "e": 4}}, {"b": {"c": 3, "e": 4}})
    {'a': None, 'b': {'c': 3}}
    """
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return after
    patch: dict[str, Json] = {name: None for name in before if name not in after}
    for name, value in after.items():
        if name not in before:
            patch[name] = value
        elif before[name] != value:
            patch[name] = patch_between(before[name], value)
    return patch
