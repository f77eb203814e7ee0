"""
Actions of others: installed packages name theirs by the entry point `oncue.actions`.

What a package does wrong keeps out the package, and nothing else.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from pydantic import BaseModel

from oncue.actions import ACTIONS
from oncue.actions.integrations import INTEGRATIONS
from oncue.core.action import AnyAction, Call
from oncue.core.action_package import ActionPackage, Taken, parts_of, problems_in
from oncue.core.errors import ActionError, Conflict, InvalidInput, Overloaded, PermanentError
from oncue.core.integration import Integration
from oncue.core.json_text import Json, encode_json, parse_json

GROUP: Final = "oncue.actions"
_OURS: Final = "OnCue's own"
# What `ActionLibrary` knows the meaning of.
_MEANT: Final = (ActionError, Conflict, InvalidInput, Overloaded)


@dataclass(frozen=True, slots=True)
class Refused:
    """A package that was left out, and why."""

    package: str
    problems: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.package}: {'; '.join(self.problems)}"


@dataclass(frozen=True, slots=True)
class Available:
    """All actions and integrations that there are here: ours first, then those of packages."""

    actions: tuple[AnyAction, ...]
    integrations: tuple[Integration, ...]
    packages: tuple[ActionPackage, ...] = ()
    refused: tuple[Refused, ...] = ()


@cache
def available() -> Available:
    """Return what this installation offers; its packages are imported the first time."""
    return with_packages(entry_points(group=GROUP))


def with_packages(entries: Iterable[EntryPoint]) -> Available:
    """Return what there is with what these entry points lead to; of equal names the first counts."""
    found = Available(ACTIONS, INTEGRATIONS)
    with ThreadPoolExecutor(1, "packages") as pool:
        for name, entry in sorted((_named(entry), entry) for entry in entries):
            # An exception that a package raises at import, of whatever kind, is a value here.
            loading = pool.submit(entry.load)
            error = loading.exception()
            found = _refused(found, name, error) if error else _with(found, name, loading.result())
    return found


def _named(entry: EntryPoint) -> str:
    dist = entry.dist
    return f"{dist.name} {dist.version}" if dist else entry.value


def _refused(found: Available, name: str, *problems: object) -> Available:
    told = tuple(
        f"{type(one).__name__}: {one}" if isinstance(one, BaseException) else str(one)
        for one in problems
    )
    return replace(found, refused=(*found.refused, Refused(name, told)))


def _with(found: Available, name: str, contents: object) -> Available:
    try:
        actions, integrations = parts_of(contents)
    except TypeError as exc:
        return _refused(found, name, str(exc))
    if problems := problems_in(actions, integrations, _taken(found)):
        return _refused(found, name, *problems)
    contained = tuple(_contained(action, name) for action in actions)
    return Available(
        (*found.actions, *contained),
        (*found.integrations, *integrations),
        (*found.packages, ActionPackage(name, contained, integrations)),
        found.refused,
    )


def _taken(found: Available) -> Taken:
    owners = {action.name: action.package or _OURS for action in found.actions}
    # Some of our actions go with an integration that has nothing to connect.
    names = {action.integration: _OURS for action in ACTIONS}
    names |= {one.name: _OURS for one in INTEGRATIONS}
    names |= {one.name: package.name for package in found.packages for one in package.integrations}
    return Taken(owners, {one.name: one for one in found.integrations}, names)


def _contained(action: AnyAction, package: str) -> AnyAction:
    return replace(action, package=package, perform=_containing(action.perform, action.name))


def _containing(
    perform: Callable[[Call[Any]], Awaitable[Json]], name: str
) -> Callable[[Call[Any]], Awaitable[Json]]:
    """Return what gives JSON, and raises what OnCue knows the meaning of, whatever `perform` does."""

    async def attempt(call: Call[Any]) -> Json:
        return await perform(call)

    async def contained(call: Call[Any]) -> Json:
        (found,) = await asyncio.gather(attempt(call), return_exceptions=True)
        match found:
            case Exception() if not isinstance(found, _MEANT):
                # The words are masked on their way out; the chain of causes would not be.
                bug = RuntimeError(f"{type(found).__name__}: {found}")
                raise bug.with_traceback(found.__traceback__) from None
            case BaseException():
                raise found
            case _:
                return _as_json(found, name)

    return contained


def _as_json(output: object, name: str) -> Json:
    plain = output.model_dump(mode="json") if isinstance(output, BaseModel) else output
    try:
        return parse_json(encode_json(plain))
    except (TypeError, ValueError) as exc:
        raise PermanentError(f"expected JSON of {name}, got something else: {exc}") from exc
