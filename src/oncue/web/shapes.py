"""The parts of which JSON Schemas are put together."""

from typing import Final

from oncue.core.json_text import Json

Schema = dict[str, Json]

TEXT: Final[Schema] = {"type": "string"}
NUMBER: Final[Schema] = {"type": "integer"}
DECIMAL: Final[Schema] = {"type": "number"}
TRUTH: Final[Schema] = {"type": "boolean"}
ANY: Final[Schema] = {}
OBJECT: Final[Schema] = {"type": "object", "additionalProperties": True}
INSTANT: Final[Schema] = {
    "type": "string",
    "format": "date-time",
    "examples": ["2026-11-23T06:32:00.123Z"],
}


def ref(name: str) -> Schema:
    """Return a reference to a schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def one_of(*names: str) -> Schema:
    """Return the schema of a choice of words."""
    choices: Json = list(names)
    return {"type": "string", "enum": choices}


def or_null(schema: Schema) -> Schema:
    """Return the schema of what may be null."""
    return {"anyOf": [schema, {"type": "null"}]}


def list_of(schema: Schema) -> Schema:
    """Return the schema of a list."""
    return {"type": "array", "items": schema}


def object_of(**properties: Schema) -> Schema:
    """Return the schema of an object with these members, all of which are there."""
    required: Json = list(properties)
    shown: Json = dict(properties)
    return {"type": "object", "properties": shown, "required": required}


def page(name: str) -> Schema:
    """Return the schema of one page of a list."""
    return object_of(data=list_of(ref(name)), next_cursor=or_null(TEXT))


def with_members(name: str, **properties: Schema) -> Schema:
    """Return a schema with further members."""
    return {"allOf": [ref(name), object_of(**properties)]}


WARNINGS: Final = list_of(object_of(path=TEXT, message=TEXT))
