"""YAML as JSON sees it: what people write definitions in."""

import math
import re
from typing import Final

import yaml

from oncue.core.errors import MalformedJson
from oncue.core.json_text import Json, encode_json, parse_json

_TAG: Final = "tag:yaml.org,2002:"
# What YAML 1.1 makes of words, of 12:30 and of dates, people mean as text.
_SHAPES: Final = {
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    "float": (
        r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)",
        "-+0123456789.",
    ),
}
_OF_OLD: Final = frozenset(_TAG + name for name in (*_SHAPES, "timestamp"))


class YamlLoader(yaml.SafeLoader):
    """YAML with the scalars of YAML 1.2, in which `on` is a word; each member stands once."""

    def compose_mapping_node(self, anchor: str | None) -> yaml.MappingNode:  # type: ignore[override]  # the stub takes the anchor's name for a dictionary
        """Return a mapping as it is written."""
        node = super().compose_mapping_node(anchor)  # type: ignore[arg-type]  # as above
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != f"{_TAG}merge":
                if key.value in seen:
                    raise _refused(f"expected each member once, got {key.value!r} twice", key)
                seen.add(key.value)
        return node


class _Dumper(yaml.SafeDumper):
    """Quotes text that a reader of YAML 1.1 or of 1.2 would take for something else."""


def _integer(_: YamlLoader, node: yaml.ScalarNode) -> int:
    try:
        return int(node.value, {"0o": 8, "0x": 16}.get(node.value[:2], 10))
    except ValueError as exc:
        raise _refused(f"expected an integer, got {node.value[:80]!r}", node) from exc


def _float(_: YamlLoader, node: yaml.ScalarNode) -> float:
    try:
        number = float(node.value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _refused(f"expected a number that JSON has, got {node.value[:80]}", node)
    return number


def _refused(message: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=message, problem_mark=node.start_mark)


YamlLoader.yaml_implicit_resolvers = {
    first: [(tag, shape) for tag, shape in resolvers if tag not in _OF_OLD]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _name, (_shape, _first) in _SHAPES.items():
    for _side in (YamlLoader, _Dumper):
        _side.add_implicit_resolver(_TAG + _name, re.compile(rf"(?:{_shape})\Z"), _first)
YamlLoader.add_constructor(f"{_TAG}int", _integer)
YamlLoader.add_constructor(f"{_TAG}float", _float)


def parse_yaml(text: str) -> Json:
    """
    Return the one document in `text`, held to the limits of JSON.

    Raises:
        MalformedJson: it is not YAML, or holds what JSON does not have.
    """
    try:
        value = yaml.load(text, YamlLoader)  # noqa: S506 derived from SafeLoader
        # Aliases can make much of little; the limits of JSON hold for what they make.
        return parse_json(encode_json(value))
    except yaml.YAMLError as exc:
        raise MalformedJson(f"expected YAML: {exc}") from exc
    except (TypeError, ValueError, RecursionError) as exc:
        raise MalformedJson(f"expected YAML that JSON can hold: {exc}") from exc


def write_yaml(*documents: Json, sort_keys: bool = False) -> str:
    """Return documents as YAML, a stream of them if there are several."""
    text: str = yaml.dump_all(documents, Dumper=_Dumper, sort_keys=sort_keys, allow_unicode=True)
    return text
