"""Parameters of a query that are true or false."""

from starlette.requests import Request

from oncue.core.errors import InvalidInput, Problem


def read_flag(request: Request, name: str) -> bool:
    """
    Return what the query says of a flag; where it says nothing, false.

    Raises:
        InvalidInput: it says something else.
    """
    asked = request.query_params.get(name, "false")
    if asked not in ("true", "false"):
        raise InvalidInput([Problem(name, f"expected true or false, got {asked!r}")])
    return asked == "true"
