"""
Documents of all kinds, saved together or not at all.

Each document becomes the version that it would be, held against what there is and
what stands beside it; nothing is written before all of them are right. All versions
are then kept in one transaction of the catalog. What follows from them, such as the
records that let patterns be seen, comes after it: what a crash leaves of that undone
is done at the next start, as for a definition that is saved alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from oncue.core.errors import InvalidInput, Problem
from oncue.core.json_text import Json, same_json
from oncue.core.masking import MASK
from oncue.core.problems import nearest
from oncue.engine.brought import with_paths
from oncue.engine.built_ins import is_built_in
from oncue.engine.definitions import Beside
from oncue.engine.drafts import Drafts, Scene, Wanted, plain
from oncue.engine.poll_trials import Trial
from oncue.engine.quotas import QuotaGuard
from oncue.engine.room import check_count
from oncue.engine.standing import KINDS, Books, Standing, standing
from oncue.ports import Keepable, PatternVersion, Shelf, WorkflowVersion

MAX_DOCUMENTS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Change:
    """What a document changes: `kept` is the version to be, or the one that is there already."""

    index: int
    kind: str
    name: str
    before: Json
    after: Json
    kept: Keepable
    is_changed: bool
    made: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The secrets that were made for hooks, by their ids: they are shown once."""
    untried: tuple[str, ...] = ()
    """The paths of queries that nobody asked, since others took all the time."""

    @property
    def word(self) -> str:
        """What becomes of the definition."""
        if not self.is_changed:
            return "unchanged"
        return "created" if self.before is None else "changed"


class Applying:
    """Applies documents to accounts."""

    def __init__(
        self, books: Books, shelf: Shelf, quotas: QuotaGuard, fresh_id: Callable[[str], str]
    ) -> None:
        self._books = books
        self._shelf = shelf
        self._quotas = quotas
        self._fresh_id = fresh_id
        self._drafts = Drafts(books)

    async def standing(self, account: str) -> Standing:
        """Return what an account has defined."""
        return await standing(account, self._books)

    async def apply(self, account: str, documents: Json, *, is_dry: bool) -> list[Change]:
        """
        Return what documents change, in their order; where `is_dry`, they only would.

        Raises:
            InvalidInput: with all problems of all documents.
            Conflict: a definition cannot be changed so, or was changed meanwhile.
            QuotaExceeded: the account may not have so many workflows.
            Overloaded: too many ask queries.
        """
        wanted, unread = _read(documents)
        there = await self.standing(account)
        scene = Scene(account, there, self._beside(there, wanted))
        changes = await self._changes(scene, wanted, unread)
        changed = [change for change in changes if change.is_changed]
        await self._check(account, there, changed)
        if changed and not is_dry:
            await self._shelf.save_all(account, [change.kept for change in changed])
            await self._put_in_force(account, [change.kept for change in changed])
        return sorted(changes, key=lambda change: change.index)

    def _beside(self, there: Standing, wanted: Sequence[Wanted]) -> Beside:
        connections = {
            one.name: str(one.document.get("integration"))
            for one in wanted
            if one.kind == "connection"
        }
        workflows = {
            one.name: self._fresh_id("wf")
            for one in wanted
            if one.kind == "workflow" and there.find("workflow", one.name) is None
        }
        return Beside(connections, workflows)

    async def _changes(
        self, scene: Scene, wanted: Sequence[Wanted], unread: Sequence[tuple[int, Problem]]
    ) -> list[Change]:
        changes: list[Change] = []
        problems = [*unread]
        for one in sorted(wanted, key=lambda one: KINDS.index(one.kind)):
            try:
                changes.append(await self._change(scene, one))
            except InvalidInput as exc:
                problems += ((one.index, _under(one.index, problem)) for problem in exc.problems)
        trial = self._books.patterns.trials.begin()
        tried = [await self._tried(scene.account, change, trial, problems) for change in changes]
        if problems:
            raise InvalidInput([problem for _, problem in sorted(problems, key=lambda p: p[0])])
        return tried

    async def _tried(
        self, account: str, change: Change, trial: Trial, problems: list[tuple[int, Problem]]
    ) -> Change:
        """Return a change, its queries tried; what is wrong with them is added to `problems`."""
        match change.kept:
            case PatternVersion() as pattern if change.is_changed:
                patterns = [(pattern, "pattern")]
            case WorkflowVersion() as workflow if change.is_changed:
                patterns = [*with_paths(workflow)]
            case _:
                return change
        left = len(trial.left)
        for pattern, path in patterns:
            found = await trial.problems(account, pattern, path)
            problems += ((change.index, _under(change.index, problem)) for problem in found)
        return replace(change, untried=tuple(trial.left[left:]))

    async def _change(self, scene: Scene, one: Wanted) -> Change:
        current = scene.standing.find(one.kind, one.name)
        before = scene.standing.document(one.kind, one.name)
        after = _completed(one, before)
        if current is not None and same_json(plain(before), plain(after)):
            return Change(one.index, one.kind, one.name, before, before, current, is_changed=False)
        draft = await self._drafts.of(scene, replace(one, document=after))
        shown = {"kind": one.kind, **self._shown(one.kind, after)}
        return Change(
            one.index,
            one.kind,
            one.name,
            before,
            shown,
            draft.kept,
            is_changed=draft.kept is not current,
            made=draft.made,
        )

    def _shown(self, kind: str, document: Mapping[str, Json]) -> dict[str, Json]:
        """Return a document as people may see it."""
        shown = _without_secret(document)
        match document.get("on"):
            case [*triggers]:
                shown["on"] = [
                    _without_secret(one) if isinstance(one, Mapping) else one for one in triggers
                ]
            case Mapping() as trigger:
                shown["on"] = _without_secret(trigger)
            case _:
                pass
        values = document.get("values")
        if kind == "connection" and isinstance(values, Mapping):
            integration = self._books.connected.integrations[str(document["integration"])]
            shown["values"] = {
                name: MASK if integration.is_secret(name) else value
                for name, value in values.items()
            }
        return shown

    async def _check(self, account: str, there: Standing, changed: Sequence[Change]) -> None:
        """Return if there is room for all changes together."""
        counts = {kind: len(rows) for kind, rows in there.rows.items()}
        given = sum(
            isinstance(row, WorkflowVersion) and is_built_in(account, row.id)
            for row in there.rows["workflow"].values()
        )
        for change in changed:
            if change.before is None:
                check_count(change.kind, counts[change.kind])
                if change.kind == "workflow":
                    own = counts[change.kind] - given
                    await self._quotas.admit_workflow(account, own)
                counts[change.kind] += 1
        patterns: list[PatternVersion] = []
        for change in changed:
            match change.kept:
                case PatternVersion():
                    patterns.append(change.kept)
                case WorkflowVersion():
                    patterns += change.kept.brought.patterns
                case _:
                    pass
        await self._books.patterns.check_room(account, patterns, "")

    async def _put_in_force(self, account: str, kept: Sequence[Keepable]) -> None:
        books = self._books
        books.connected.forget(account)
        books.secrets.forget(account)
        books.variables.forget(account)
        books.hooks.forget(account)
        for one in kept:
            match one:
                case WorkflowVersion():
                    await books.workflows.put_in_force(account, one)
                case PatternVersion():
                    await books.patterns.announce(account, one)
                case _:
                    pass
        books.schedules.wake()


def _read(documents: Json) -> tuple[list[Wanted], list[tuple[int, Problem]]]:
    """
    Return what documents are about, and what is wrong with those that say it not, or twice.

    Raises:
        InvalidInput: they are no list, or too many.
    """
    if not isinstance(documents, list) or not 1 <= len(documents) <= MAX_DOCUMENTS:
        raise InvalidInput([Problem("", f"expected a list of 1 to {MAX_DOCUMENTS} documents")])
    wanted: list[Wanted] = []
    problems: list[tuple[int, Problem]] = []
    seen: dict[tuple[str, str], int] = {}
    for index, document in enumerate(documents):
        if not isinstance(document, Mapping):
            problems.append(
                (index, Problem(f"[{index}]", "expected an object, got something else"))
            )
            continue
        kind, name = document.get("kind"), document.get("name")
        if not isinstance(kind, str) or kind not in KINDS:
            hint = nearest(str(kind), KINDS)
            message = f"expected a kind out of {', '.join(KINDS)}, got {kind!r}{hint}"
            problems.append((index, Problem(f"[{index}].kind", message)))
        elif not isinstance(name, str):
            problems.append((index, Problem(f"[{index}].name", f"expected a name, got {name!r}")))
        elif (kind, name) in seen:
            message = f"expected one {kind} {name!r}, got another in [{seen[kind, name]}]"
            problems.append((index, Problem(f"[{index}].name", message)))
        else:
            seen[kind, name] = index
            bare = {key: value for key, value in document.items() if key != "kind"}
            wanted.append(Wanted(index, kind, name, bare))
    return wanted, problems


def _without_secret(document: Mapping[str, Json]) -> dict[str, Json]:
    return {name: MASK if name == "secret" else value for name, value in document.items()}


def _under(index: int, problem: Problem) -> Problem:
    place = f"[{index}].{problem.path}" if problem.path else f"[{index}]"
    return Problem(place, problem.message)


def _completed(one: Wanted, before: Mapping[str, Json] | None) -> dict[str, Json]:
    """Return a document with what it leaves as it is."""
    if one.kind == "connection":
        return {"default": False, "values": {}, **one.document}
    # Whoever paused something goes on with it; a document that says nothing does not.
    if before and before.get("enabled") is False:
        return {"enabled": False, **one.document}
    return one.document
