"""Documents in files: YAML or JSON, one or several in each."""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

import oncue
from oncue.core.json_text import Json
from oncue.core.yaml_text import YamlLoader


def read_documents(path: Path) -> Iterator[Json]:
    """
    Yield the documents in a file.

    Raises:
        yaml.YAMLError: it is neither YAML nor JSON.
    """
    with path.open(encoding="utf-8") as file:
        yield from yaml.load_all(file, YamlLoader)


def line_of(path: Path, index: int, place: str) -> int:
    """Return the line, from 1, on which a place such as `steps[2].for` of the nth document stands."""
    with path.open(encoding="utf-8") as file:
        documents = list(yaml.compose_all(file, YamlLoader))
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
