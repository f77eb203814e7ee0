"""Values of expressions as JSON."""

from oncue.core.json_text import Json


def to_json(value: object) -> Json:
    """Return `value` as JSON."""
    raise NotImplementedError
