"""From a webhook whose sender is known to the event that becomes of it."""

from collections.abc import Mapping
from typing import Final

from oncue.core.errors import EvaluationError, InvalidInput, Problem
from oncue.core.hook.body import is_text
from oncue.core.hook.document import ParsedHook
from oncue.core.hook.request import HookRequest
from oncue.core.hook.schemes import without_secret
from oncue.core.hook.vendors import told
from oncue.core.json_text import Json

# These open other doors than the hook's: nobody needs them in an event.
_HIDDEN: Final = frozenset(("authorization", "cookie", "proxy-authorization"))
_PATHS: Final = {"event_id": "id"}


def event_of(hook: ParsedHook, default_source: str, request: HookRequest, data: Json) -> Json:
    """
    Return the event of a request, as somebody would post it; what is wrong in it is found there.

    Raises:
        InvalidInput: a template meets a value that it cannot take.
    """
    definition = hook.definition
    shown = without_secret(definition.scheme, definition.terms, data)
    found = told(definition.scheme, definition.name, request, data)
    event: dict[str, Json] = {
        "type": found.type,
        "source": default_source,
        "id": found.id,
        "subject": found.subject,
    }
    event |= _rendered(hook, request, shown)
    if is_text(request.media_type):
        event["datacontenttype"] = request.headers["content-type"]
    return {**{name: value for name, value in event.items() if value is not None}, "data": shown}


def _rendered(hook: ParsedHook, request: HookRequest, data: Json) -> dict[str, Json]:
    headers = {name: value for name, value in request.headers.items() if name not in _HIDDEN}
    values: Mapping[str, object] = {"body": data, "headers": headers, "query": dict(request.query)}
    rendered: dict[str, Json] = {}
    problems: list[Problem] = []
    for name, template in hook.templates.items():
        try:
            rendered[_PATHS.get(name, name)] = _text(template.render(values))
        except EvaluationError as exc:
            problems.append(Problem(name, f"the hook's template cannot be rendered: {exc}"))
    if problems:
        raise InvalidInput(problems)
    return rendered


def _text(value: Json) -> Json:
    """Return an id that is a number as text."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return str(value) if is_number else value
