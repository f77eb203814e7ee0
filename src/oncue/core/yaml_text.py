"""YAML as JSON sees it: what people write definitions in."""

import re
from collections.abc import Iterator

import yaml

from oncue.core.errors import MalformedJson
from oncue.core.json_text import Json, encode_json, parse_json

_BOOL = "tag:yaml.org,2002:bool"
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


class YamlLoader(yaml.SafeLoader):
    """YAML with the booleans of YAML 1.2, in which `on` is a word; instants stay text."""


YamlLoader.yaml_implicit_resolvers = {
    first: [(tag, shape) for tag, shape in resolvers if tag not in (_BOOL, _TIMESTAMP)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
YamlLoader.add_implicit_resolver(
    _BOOL, re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), "tTfF"
)


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


def load_documents(text: str) -> Iterator[Json]:
    """
    Yield the documents in `text`.

    Raises:
        yaml.YAMLError: it is neither YAML nor JSON.
    """
    yield from yaml.load_all(text, YamlLoader)
