"""
Patterns: saved, announced to the log, and made ready to match.

A version is first saved and then announced: a record of it is appended to the
log, and from that record's offset on the version is seen. What a crash left
saved and unannounced is announced at the next start.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from oncue.core.errors import InvalidInput, NotFound, Problem
from oncue.core.json_text import Json, same_json
from oncue.core.pattern.active import matches_otherwise, parse_pattern
from oncue.engine.active_patterns import ActivePatterns
from oncue.engine.owned import check_is_free
from oncue.engine.poll_trials import PollTrials
from oncue.ports import Catalog, Clock, EventLog, Patterns, PatternVersion

NONE: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, slots=True)
class PatternChecks:
    """What a pattern is held against: workflows that it may name, and queries that can be asked."""

    catalog: Catalog
    trials: PollTrials


class PatternDefinitions:
    """The patterns of all accounts."""

    def __init__(
        self,
        patterns: Patterns,
        active: ActivePatterns,
        checks: PatternChecks,
        log: EventLog,
        clock: Clock,
        fresh_id: Callable[[str], str],
    ) -> None:
        self._patterns = patterns
        self._active = active
        self._catalog = checks.catalog
        self.trials = checks.trials
        self._log = log
        self._clock = clock
        self._fresh_id = fresh_id

    async def create(self, account: str, document: Json) -> PatternVersion:
        """
        Return the first version of a pattern; it sees what is accepted from now on.

        Raises:
            InvalidInput: with all problems.
            Conflict: another pattern of the account has that name.
        """
        pattern = await self.first(account, document)
        await self.trials.check(account, [(pattern, "pattern")])
        return await self.save(account, pattern)

    async def first(
        self, account: str, document: Json, workflows: Mapping[str, str] = NONE
    ) -> PatternVersion:
        """
        Return the first version of a pattern, which is not saved; `workflows` are ids of more of them.

        Raises:
            InvalidInput: with all problems.
        """
        parsed = parse_pattern(document)
        now = self._clock.now_ms()
        return PatternVersion(
            id=self._fresh_id("pat"),
            name=parsed.definition.name,
            version=1,
            state_version=1,
            document=parsed.document,
            workflow_id=await self._workflow_id(account, parsed.definition.workflow, workflows),
            owner_id=None,
            created_at_ms=now,
            updated_at_ms=now,
            is_active=parsed.definition.enabled,
        )

    async def change(self, account: str, current: PatternVersion, document: Json) -> PatternVersion:
        """
        Return the version after `current`, or `current` itself if nothing changes.

        Raises:
            InvalidInput: with all problems.
            Conflict: a workflow owns it, the name is taken, or somebody saved that version meanwhile.
        """
        check_is_free("pattern", current)
        changed = await self.next(account, current, document)
        if changed is current:
            return current
        await self.trials.check(account, [(changed, "pattern")])
        return await self.save(account, changed)

    async def next(
        self,
        account: str,
        current: PatternVersion,
        document: Json,
        workflows: Mapping[str, str] = NONE,
    ) -> PatternVersion:
        """
        Return the version after `current`, which is not saved, or `current` if nothing changes.

        Raises:
            InvalidInput: with all problems.
        """
        parsed = parse_pattern(document)
        reference = parsed.definition.workflow
        wanted = replace(
            current,
            name=parsed.definition.name,
            document=parsed.document,
            workflow_id=await self._workflow_still(account, current, reference, workflows),
            is_active=parsed.definition.enabled,
            updated_at_ms=self._clock.now_ms(),
        )
        return next_version(current, wanted) or current

    async def delete(self, account: str, current: PatternVersion) -> None:
        """
        Let go of a pattern; its matches stay.

        Raises:
            Conflict: a workflow owns it.
        """
        check_is_free("pattern", current)
        await self.save(account, ended(current, self._clock.now_ms()))

    async def announce(self, account: str, pattern: PatternVersion) -> None:
        """Let a version be seen from now on."""
        self._active.audience.take(account, pattern)
        offset = await self._log.append_change(account, pattern.id, pattern.version)
        await self._patterns.announced(account, pattern.id, pattern.version, offset)
        self._active.tell(account, pattern)

    async def announce_rest(self) -> None:
        """Announce what was saved before a crash came between."""
        for account, pattern in await self._patterns.unannounced():
            await self.announce(account, pattern)

    async def owned_by(self, account: str, workflow_id: str) -> list[PatternVersion]:
        """Return the newest version of each pattern that a workflow brought, also of ended ones."""
        return await self._patterns.owned_by(account, workflow_id)

    async def check_room(self, account: str, wanted: Sequence[PatternVersion], path: str) -> None:
        """
        Return if there is room for patterns beside those that there are.

        Raises:
            InvalidInput: they would make each event cost too much.
        """
        await self._active.check_room(account, self._log.head(account), wanted, path)

    async def save(self, account: str, pattern: PatternVersion) -> PatternVersion:
        """
        Return a version that is kept and seen from now on.

        Raises:
            InvalidInput: it would make each event cost too much.
            Conflict: the name is taken, or somebody saved that version meanwhile.
        """
        await self.check_room(account, [pattern], "pattern.where")
        await self._patterns.save(account, pattern)
        await self.announce(account, pattern)
        return pattern

    async def _workflow_still(
        self,
        account: str,
        current: PatternVersion,
        reference: str | None,
        workflows: Mapping[str, str],
    ) -> str | None:
        """Return the workflow of a changed pattern; one that was deleted may stay as it is."""
        try:
            return await self._workflow_id(account, reference, workflows)
        except InvalidInput:
            if isinstance(current.document, dict) and current.document.get("workflow") == reference:
                return current.workflow_id
            raise

    async def _workflow_id(
        self, account: str, reference: str | None, workflows: Mapping[str, str]
    ) -> str | None:
        if reference is None or reference in workflows:
            return reference and workflows[reference]
        try:
            return await self._catalog.workflow_id(account, reference)
        except NotFound as exc:
            message = f"expected a workflow of this account, got {reference!r}"
            raise InvalidInput([Problem("workflow", message)]) from exc


def next_version(before: PatternVersion | None, wanted: PatternVersion) -> PatternVersion | None:
    """Return `wanted` as the version after `before`; nothing if it is the same."""
    if before is None:
        return wanted
    is_same = (before.workflow_id, before.is_active, before.is_deleted) == (
        wanted.workflow_id,
        wanted.is_active,
        wanted.is_deleted,
    )
    if is_same and same_json(before.document, wanted.document):
        return None
    # What was off begins anew, with empty state.
    is_anew = not before.is_active or matches_otherwise(before.document, wanted.document)
    return replace(
        wanted,
        version=before.version + 1,
        state_version=before.state_version + is_anew,
        created_at_ms=before.created_at_ms,
    )


def ended(pattern: PatternVersion, at_ms: int) -> PatternVersion:
    """Return the version that ends a pattern."""
    return replace(
        pattern,
        version=pattern.version + 1,
        is_active=False,
        is_deleted=True,
        updated_at_ms=at_ms,
    )
