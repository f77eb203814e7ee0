"""Documents in files: YAML or JSON, one or several in each."""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

import oncue
from oncue.core.json_text import Json

_BOOL = "tag:yaml.org,2002:bool"
_TIMESTAMP = "tag:yaml.org,2002:timestamp"


class _Loader(yaml.SafeLoader):
    """YAML with the booleans of YAML 1.2, in which `on` is a word; instants stay text."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, shape) for tag, shape in resolvers if tag not in (_BOOL, _TIMESTAMP)]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(_BOOL, re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), "tTfF")


def read_documents(path: Path) -> Iterator[Json]:
    """
    Yield the documents in a file.

    Raises:
        yaml.YAMLError: it is neither YAML nor JSON.
    """
    with path.open(encoding="utf-8") as file:
        yield from yaml.load_all(file, _Loader)


def line_of(path: Path, index: int, place: str) -> int:
    """Return the line, from 1, on which a place such as `steps[2].for` of the nth document stands."""
    with path.open(encoding="utf-8") as file:
        documents = list(yaml.compose_all(file, _Loader))
    node = documents[index]
    for part in _PART.findall(place):
        node = _inside(node, part.strip("[]")) or node
    return int(node.start_mark.line) + 1


_PART = re.compile(r"\[\d+\]|[^.\[\]]+")


def _inside(node: yaml.Node, part: str) -> yaml.Node | None:
    match node:
        case yaml.MappingNode(value=pairs):
            return next((value for key, value in pairs if key.value == part), None)
        case yaml.SequenceNode(value=items):
            return items[int(part)] if part.isdigit() and int(part) < len(items) else None
        case _:
            return None


def examples(kind: str) -> Iterator[Json]:
    """Yield the shipped examples of a kind."""
    for path in sorted(_examples_folder().glob("*.yaml")):
        for document in read_documents(path):
            if isinstance(document, dict) and document.get("kind") == kind:
                yield document


def _examples_folder() -> Path:
    package = Path(oncue.__file__).parent
    shipped = package / "examples"
    # In a checkout they stand beside the sources, where people look for them.
    return shipped if shipped.is_dir() else package.parents[1] / "examples"
