"""
What a package adds: actions, and the integrations that they go with.

Its authors are others, so nothing of it is believed: each value is held against
what is read off it later, and a package is taken as a whole or not at all.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from oncue.core.action import Action, AnyAction, Idempotency, Need
from oncue.core.integration import Credential, Integration
from oncue.core.json_text import encode_json
from oncue.core.problems import nearest, problems_of

_NAME: Final = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
_MAX_NAME: Final = 63
_ACTION_FIELDS: Final[Mapping[str, type]] = {
    "name": str,
    "summary": str,
    "integration": str,
    "category": str,
    "idempotency": Idempotency,
    "example": Mapping,
    "perform": Callable,  # type: ignore[dict-item] # isinstance takes it
    "is_harmless_to_repeat": bool,
    "needs": tuple,
}
_INTEGRATION_FIELDS: Final[Mapping[str, type]] = {
    "name": str,
    "title": str,
    "credentials": tuple,
    "enough": tuple,
    "has_own": bool,
    "refreshes": bool,
}
_CREDENTIAL_FIELDS: Final[Mapping[str, type]] = {
    "name": str,
    "description": str,
    "is_secret": bool,
    "is_inherited": bool,
    "default": str,
    "pattern": str,
    "example": str,
}
# What a refresh token is exchanged with.
_REFRESHING: Final = ("client_id", "client_secret", "refresh_token", "token_url")


@dataclass(frozen=True, slots=True)
class ActionPackage:
    """What one installed package adds."""

    name: str
    actions: tuple[AnyAction, ...]
    integrations: tuple[Integration, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """The names that are taken, and by whom; and the integrations that there are."""

    actions: Mapping[str, str]
    integrations: Mapping[str, Integration]
    integration_names: Mapping[str, str]


def parts_of(contents: object) -> tuple[tuple[AnyAction, ...], tuple[Integration, ...]]:
    """
    Return the actions and the integrations of a package.

    Raises:
        TypeError: it is no tuple of those.
    """
    if not isinstance(contents, tuple):
        raise TypeError(f"expected a tuple of actions, got {_kind(contents)}")
    for item in contents:
        if not isinstance(item, Action | Integration):
            raise TypeError(f"expected actions and integrations, got {_kind(item)}")
    actions = tuple(item for item in contents if isinstance(item, Action))
    return actions, tuple(item for item in contents if isinstance(item, Integration))


def problems_in(
    actions: Sequence[AnyAction], integrations: Sequence[Integration], taken: Taken
) -> list[str]:
    """Return all that is wrong with what a package adds."""
    found: list[str] = []
    if not actions:
        found.append("expected at least one action, got none")
    for one in integrations:
        found += [f"integration {one.name!r}: {told}" for told in _wrong_integration(one, taken)]
    found += _repeated("integration", [one.name for one in integrations])
    if found:
        return found
    known = {**taken.integrations, **{one.name: one for one in integrations}}
    for action in actions:
        found += [f"action {action.name!r}: {told}" for told in _wrong_action(action, taken, known)]
    return found + _repeated("action", [action.name for action in actions])


def _wrong_action(
    action: AnyAction, taken: Taken, known: Mapping[str, Integration]
) -> Iterator[str]:
    if wrong := [*_wrong_fields(action, _ACTION_FIELDS)]:
        yield from wrong
        return
    yield from _wrong_name(action.name, taken.actions)
    models = {"input": action.input, "output": action.output}
    wrong = [told for name, model in models.items() if (told := _wrong_model(name, model))]
    yield from wrong
    if not wrong:
        yield from _wrong_example(action)
    yield from _wrong_needs(action, known)


def _wrong_model(name: str, model: Any) -> str | None:
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        return f"{name}: expected a model of pydantic, got {_kind(model)}"
    try:
        encode_json(model.model_json_schema())
    except (RuntimeError, TypeError, ValueError) as exc:
        return f"{name}: expected a model that JSON Schema can tell: {_first_line(exc)}"
    return None


def _wrong_example(action: AnyAction) -> Iterator[str]:
    try:
        encode_json(action.example)
        action.input.model_validate(action.example)
    except ValidationError as exc:
        for problem in problems_of(exc, action.example, prefix="example"):
            yield f"{problem.path}: {problem.message}"
    except (RuntimeError, TypeError) as exc:
        yield f"example: expected JSON: {_first_line(exc)}"


def _wrong_needs(action: AnyAction, known: Mapping[str, Integration]) -> Iterator[str]:
    integration = known.get(action.integration)
    if not _NAME.fullmatch(action.integration):
        yield f"integration: expected a name such as 'parcels', got {action.integration!r}"
    for need in action.needs:
        if not isinstance(need, Need):
            yield f"needs: expected needs, got {_kind(need)}"
        elif integration is None:
            hint = nearest(action.integration, known)
            yield f"needs: expected the package to bring an integration {action.integration!r}{hint}"
        elif need.credential not in integration.by_name:
            hint = nearest(need.credential, integration.by_name)
            yield f"needs: {action.integration} has no value {need.credential!r}{hint}"


def _wrong_integration(one: Integration, taken: Taken) -> Iterator[str]:
    if wrong := [*_wrong_fields(one, _INTEGRATION_FIELDS)]:
        yield from wrong
        return
    yield from _wrong_name(one.name, taken.integration_names)
    for credential in one.credentials:
        if not isinstance(credential, Credential):
            yield f"credentials: expected credentials, got {_kind(credential)}"
            return
        for told in _wrong_credential(credential):
            yield f"credential {credential.name!r}: {told}"
            return
    yield from _repeated("credential", [credential.name for credential in one.credentials])
    yield from _wrong_sets(one)
    for credential in one.credentials:
        shown = {"example": credential.example, "default": credential.default}
        for place, value in shown.items():
            if value and one.problems_in({credential.name: value}):
                yield f"credential {credential.name!r}: its {place} is not what it takes"


def _wrong_sets(one: Integration) -> Iterator[str]:
    known = one.by_name
    if not one.enough:
        yield "enough: expected at least one set of values, got none"
    for names in one.enough:
        if not isinstance(names, tuple):
            yield f"enough: expected tuples of names, got {_kind(names)}"
        else:
            unknown = [str(name) for name in names if name not in known]
            yield from (f"enough: no credential {name!r}{nearest(name, known)}" for name in unknown)
    if one.refreshes and (lacking := [name for name in _REFRESHING if name not in known]):
        yield f"refreshes: expected the credentials {', '.join(lacking)}"


def _wrong_credential(credential: Credential) -> Iterator[str]:
    yield from _wrong_fields(credential, _CREDENTIAL_FIELDS)
    if isinstance(credential.pattern, str):
        try:
            re.compile(credential.pattern)
        except re.error as exc:
            yield f"pattern: expected a regular expression: {exc}"


def _wrong_fields(value: object, fields: Mapping[str, type]) -> Iterator[str]:
    for name, kind in fields.items():
        got = getattr(value, name)
        if not isinstance(got, kind):
            yield f"{name}: expected {kind.__name__}, got {_kind(got)}"


def _wrong_name(name: str, taken: Mapping[str, str]) -> Iterator[str]:
    if len(name) > _MAX_NAME or not _NAME.fullmatch(name):
        yield f"expected a name such as 'book_pickup', got {name!r}"
    if name in taken:
        yield f"expected a name of its own, got one of {taken[name]}"


def _repeated(what: str, names: Sequence[object]) -> list[str]:
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    return [f"expected each {what} once, got {name!r} twice" for name in twice]


def _kind(value: object) -> str:
    return value.__name__ if isinstance(value, type) else f"a {type(value).__name__}"


def _first_line(exc: Exception) -> str:
    return (str(exc).splitlines() or [type(exc).__name__])[0]
