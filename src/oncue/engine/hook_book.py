"""Hooks: kept, changed, and made ready to receive."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from oncue.core.errors import Conflict, InvalidInput, NotFound, Problem
from oncue.core.hook.document import ParsedHook, parse_hook
from oncue.core.hook.schemes import Scheme
from oncue.core.json_text import Json, same_json
from oncue.core.merge_patch import merge_patch
from oncue.engine.hook_secrets import HookSecrets, Kept
from oncue.engine.known import Known
from oncue.engine.owned import check_is_free
from oncue.ports import Clock, Hook, Hooks, LockedError

_UNREADY: Final = "has no secret yet: whatever is posted to it is refused (401)"


class HookBook:
    """The hooks of all accounts."""

    def __init__(
        self,
        store: Hooks,
        secrets: HookSecrets,
        clock: Clock,
        fresh_id: Callable[[str], str],
        public_url: str,
    ) -> None:
        self.store = store
        self.secrets = secrets
        self._clock = clock
        self._fresh_id = fresh_id
        self._public_url = public_url.rstrip("/")
        self._known = Known(store.all, keeps_nothing=False)
        self._parsed: dict[tuple[str, str], tuple[int, ParsedHook]] = {}

    async def all(self, account: str) -> list[Hook]:
        """Return the hooks of an account, newest first."""
        return await self._known.of(account)

    def forget(self, account: str) -> None:
        """Read the hooks of an account anew when they are needed next."""
        self._known.forget(account)

    async def find(self, account: str, reference: str) -> Hook:
        """
        Return the hook with that id or name; of several names one that no workflow owns.

        Raises:
            NotFound: this account has none.
        """
        rows = [row for row in await self.all(account) if reference in (row.id, row.name)]
        for row in sorted(rows, key=lambda row: row.owner_id is not None):
            return row
        raise NotFound(f"no hook {reference!r}")

    async def create(self, account: str, document: Json) -> Kept:
        """
        Return a hook, from now on kept, and the secret that was made if it needs one.

        Raises:
            InvalidInput: with all problems.
            Conflict: the account has one of that name.
        """
        kept = await self.first(account, document)
        await self.store.save(account, kept.hook)
        self.forget(account)
        return kept

    async def first(self, account: str, document: Json) -> Kept:
        """
        Return the first version of a hook, which is not saved, and the secret that was made for it.

        Raises:
            InvalidInput: with all problems.
        """
        parsed = parse_hook(document)
        now = self._clock.now_ms()
        hook = Hook(
            id=self._fresh_id("hok"),
            name=parsed.definition.name,
            document=parsed.document,
            hints=(),
            sealed=b"",
            owner_id=None,
            is_enabled=parsed.definition.enabled,
            version=1,
            created_at_ms=now,
            updated_at_ms=now,
        )
        return await self.secrets.put(account, hook, parsed.definition.scheme, parsed.secrets or ())

    async def change(self, account: str, current: Hook, patch: Mapping[str, Json]) -> Kept:
        """
        Return the version after `current`, or `current` itself if the patch changes nothing.

        Raises:
            InvalidInput: with all problems.
            Conflict: a workflow owns it, its name is taken, somebody changed it meanwhile, or no key
                opens it.
        """
        check_is_free("hook", current)
        kept = await self.next(account, current, merge_patch(document_of(current), patch))
        if kept.hook is not current:
            await self.store.save(account, kept.hook)
            self.forget(account)
        return kept

    async def next(self, account: str, current: Hook, document: Json) -> Kept:
        """
        Return the version after `current`, which is not saved, or `current` if nothing changes.

        Raises:
            InvalidInput: with all problems.
            Conflict: no key opens it.
        """
        parsed = parse_hook(document, current.hints)
        scheme = self.parsed(account, current).definition.scheme
        if parsed.definition.scheme != scheme:
            message = f"expected {scheme.value!r} to stay, got {parsed.definition.scheme.value!r}"
            raise InvalidInput([Problem("scheme", message)])
        before = self._opened(account, current, parsed.secrets or ())
        secrets = _meant(parsed.secrets or (), current.hints, before)
        if same_json(parsed.document, current.document) and secrets == before:
            return Kept(current)
        wanted = replace(
            current,
            name=parsed.definition.name,
            document=parsed.document,
            is_enabled=parsed.definition.enabled,
            version=current.version + 1,
            updated_at_ms=self._clock.now_ms(),
        )
        return await self.secrets.put(account, wanted, parsed.definition.scheme, secrets)

    async def delete(self, account: str, hook: Hook) -> None:
        """
        Forget a hook; nobody is let in by its URL any more.

        Raises:
            Conflict: a workflow owns it.
        """
        check_is_free("hook", hook)
        await self.store.delete(account, hook.id)
        self.forget(account)

    def parsed(self, account: str, hook: Hook) -> ParsedHook:
        """Return a hook as it receives."""
        place = account, hook.id
        known = self._parsed.get(place)
        if known is None or known[0] != hook.version:
            known = self._parsed[place] = (hook.version, parse_hook(hook.document))
        return known[1]

    async def trouble(self, account: str, hook: Hook) -> str | None:
        """Return why a hook lets nobody in; nothing, if it does."""
        try:
            scheme = self.parsed(account, hook).definition.scheme
            return None if await self.secrets.accepted(account, hook, scheme) else _UNREADY
        except LockedError as exc:
            return f"cannot be opened: {exc}"

    def url(self, account: str, hook: Hook, *, reveals: bool) -> str:
        """Return where others post; what is secret in it only if it `reveals` that."""
        url = f"{self._public_url}/hooks/{account}/{hook.id}"
        if self.parsed(account, hook).definition.scheme is not Scheme.PATH:
            return url
        try:
            token = self.secrets.of(account, hook)[0] if reveals else hook.hints[0]
        except LockedError:
            token = hook.hints[0]
        return f"{url}/{token}"

    def _opened(self, account: str, hook: Hook, given: Sequence[str]) -> tuple[str, ...]:
        try:
            return self.secrets.of(account, hook)
        except LockedError as exc:
            if set(given) & set(hook.hints):
                raise Conflict(
                    f"hook {hook.name!r} cannot be opened: {exc}; give its secrets anew"
                ) from exc
            return ()


def document_of(hook: Hook) -> dict[str, Json]:
    """Return a hook as a document; of each secret its hint."""
    hints = [*hook.hints]
    secret: dict[str, Json] = {"secret": hints[0] if len(hints) == 1 else hints} if hints else {}
    return {**hook.document, **secret}


def _meant(given: Sequence[str], hints: Sequence[str], before: Sequence[str]) -> tuple[str, ...]:
    """Return the secrets that are given, the hints among them replaced by what they stand for."""
    left = list(zip(hints, before, strict=False))
    meant: list[str] = []
    for secret in given:
        known = next((pair for pair in left if pair[0] == secret), None)
        if known:
            left.remove(known)
        meant.append(known[1] if known else secret)
    return tuple(meant)


def default_source(hook: Hook) -> str:
    """Return the source of a hook's events where it names none."""
    return owned_source(hook.id) if hook.owner_id else f"hooks/{hook.name}"


def owned_source(hook_id: str) -> str:
    """Return the source of the events of an owned hook: nobody else's, whatever names change."""
    return f"hooks/{hook_id}"
