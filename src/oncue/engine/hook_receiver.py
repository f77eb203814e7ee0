"""The way in for strangers: verified, made an event, durable."""

from collections import Counter
from dataclasses import dataclass

from oncue.core.errors import NotFound, OnCueError, Overloaded, Unverified
from oncue.core.hook.body import read_body
from oncue.core.hook.receiving import event_of
from oncue.core.hook.request import HookRequest
from oncue.core.hook.schemes import refusal
from oncue.core.hook.vendors import challenge, unwrapped
from oncue.engine.hook_book import HookBook, default_source
from oncue.engine.hook_counts import HookCounts
from oncue.engine.ingest import Ingest
from oncue.ports import Accounts, Clock, Hook, LockedError, Receipt

_LOCKED_RETRY_S = 60


@dataclass(frozen=True, slots=True)
class Received:
    """What a request came to: an event, or an answer to somebody who only asks."""

    hook: Hook
    receipt: Receipt | None = None
    challenge: str | None = None


class HookReceiver:
    """Takes requests to the hooks of all accounts."""

    def __init__(self, book: HookBook, accounts: Accounts, ingest: Ingest, clock: Clock) -> None:
        self._book = book
        self._accounts = accounts
        self._ingest = ingest
        self._clock = clock
        self._open: set[str] = set()
        self._changes: Counter[str] = Counter()
        self._counts: dict[tuple[str, str], HookCounts] = {}

    async def find(self, account: str, hook_id: str) -> Hook:
        """
        Return the hook that receives at a URL.

        Raises:
            NotFound: there is none, or it is disabled.
        """
        for hook in await self._book.all(account):
            if hook.id == hook_id and hook.is_enabled:
                if await self._is_open(account):
                    return hook
                break
        raise NotFound("no such hook, or it is disabled")

    def forget(self, account: str) -> None:
        """Ask anew whether an account is enabled."""
        self._open.discard(account)
        self._changes[account] += 1

    async def receive(self, account: str, hook: Hook, request: HookRequest) -> Received:
        """
        Return when the event of a request is durable.

        Raises:
            Unverified: the sender is not known; nothing was stored.
            MalformedJson: the body is not what it says that it is.
            UnknownBody: it is no JSON, form or text.
            InvalidInput: no event can be made of it; nothing was stored.
            QuotaExceeded: the account had as many as it may; nothing was stored.
            Overloaded: no key opens the hook's secrets.
        """
        counts, now = self.counts(account, hook.id), self._clock.now_ms()
        try:
            await self._verify(account, hook, request)
            received = await self.take(account, hook, request)
        except OnCueError as exc:
            counts.refuse(str(exc), now)
            raise
        counts.let_in(now)
        return received

    async def take(self, account: str, hook: Hook, request: HookRequest) -> Received:
        """
        Return when the event of a request is durable, whose sender is known.

        Raises:
            MalformedJson: the body is not what it says that it is.
            UnknownBody: it is no JSON, form or text.
            InvalidInput: no event can be made of it; nothing was stored.
            QuotaExceeded: the account had as many as it may; nothing was stored.
        """
        parsed = self._book.parsed(account, hook)
        scheme = parsed.definition.scheme
        data = unwrapped(scheme, read_body(request))
        if asked := challenge(scheme, data):
            return Received(hook, challenge=asked)
        event = event_of(parsed, default_source(hook), request, data)
        return Received(hook, await self._ingest.accept(account, event))

    def counts(self, account: str, hook_id: str) -> HookCounts:
        """Return what a hook let in and refused since the start."""
        return self._counts.setdefault((account, hook_id), HookCounts())

    async def _is_open(self, account: str) -> bool:
        # Asked once: a round trip through the database's thread costs more than all the rest.
        if account in self._open:
            return True
        changes = self._changes[account]
        is_enabled = (await self._accounts.account(account)).is_enabled
        if is_enabled and changes == self._changes[account]:
            self._open.add(account)
        return is_enabled

    async def _verify(self, account: str, hook: Hook, request: HookRequest) -> None:
        definition = self._book.parsed(account, hook).definition
        try:
            secrets = await self._book.secrets.accepted(account, hook, definition.scheme)
        except LockedError as exc:
            # The sender tries again; meanwhile somebody may bring the key.
            raise Overloaded(
                "the hook's secrets cannot be opened", retry_after_s=_LOCKED_RETRY_S
            ) from exc
        if not secrets:
            raise Unverified("the hook has no secret yet")
        now = self._clock.now_ms()
        if reason := refusal(definition.scheme, request, secrets, definition.terms, now):
            raise Unverified(reason)
