"""
What an account may use in a month, and what it has used.

Only accounts with a quota are counted here: the count begins with what the
stores know of the month and goes on in memory.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from oncue.core.errors import QuotaExceeded
from oncue.ports import Accounts, Clock, EventLog, History, Quotas, Span

_UNLIMITED: Final = Quotas()
# A count that no time changes: whoever comes again may have deleted something meanwhile.
_SOON_S: Final = 3_600


@dataclass(frozen=True, slots=True)
class Month:
    """A month in UTC."""

    from_ms: int
    to_ms: int

    @classmethod
    def of(cls, instant_ms: int) -> "Month":
        """Return the month of an instant."""
        moment = datetime.fromtimestamp(instant_ms / 1_000, UTC)
        first = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        following = (first + timedelta(days=32)).replace(day=1)
        return cls(int(first.timestamp()) * 1_000, int(following.timestamp()) * 1_000)


@dataclass(slots=True)
class _Usage:
    month: Month
    events: int
    executions: int


class QuotaGuard:
    """Says no to what is above a quota."""

    def __init__(self, accounts: Accounts, log: EventLog, history: History, clock: Clock) -> None:
        self._accounts = accounts
        self._log = log
        self._history = history
        self._clock = clock
        self._quotas: dict[str, Quotas] = {}
        self._usages: dict[str, _Usage] = {}

    def forget(self, account: str) -> None:
        """Read the quotas of an account anew when they are needed next."""
        self._quotas.pop(account, None)

    async def admit_events(self, account: str, count: int) -> None:
        """
        Return if an account may bring so many events more.

        Raises:
            QuotaExceeded: they are too many for this month.
        """
        limit = (await self._of(account)).max_events_per_month
        if limit is not None:
            usage = await self._usage(account)
            self._check("events in a month", usage.events + count, limit, usage.month)
            usage.events += count

    async def admit_execution(self, account: str) -> None:
        """
        Return if an account may start an execution more.

        Raises:
            QuotaExceeded: it had as many as it may this month.
        """
        limit = (await self._of(account)).max_executions_per_month
        if limit is not None:
            usage = await self._usage(account)
            self._check("executions in a month", usage.executions + 1, limit, usage.month)
            usage.executions += 1

    async def admit_workflow(self, account: str, count: int) -> None:
        """
        Return if an account that has `count` workflows may have one more.

        Raises:
            QuotaExceeded: it may not.
        """
        limit = (await self._of(account)).max_workflows
        if limit is not None and count >= limit:
            raise QuotaExceeded(f"expected at most {limit} workflows", retry_after_s=_SOON_S)

    async def _of(self, account: str) -> Quotas:
        found = self._quotas.get(account)
        if found is None:
            found = (await self._accounts.account(account)).quotas
            # One object for all that have none, whatever their number.
            self._quotas[account] = _UNLIMITED if found == _UNLIMITED else found
        return found

    async def _usage(self, account: str) -> _Usage:
        now = self._clock.now_ms()
        usage = self._usages.get(account)
        if usage is None or usage.month.to_ms <= now:
            month = Month.of(now)
            span = Span(month.from_ms, month.to_ms, month.to_ms - month.from_ms)
            events = await self._log.past.usage(account, span)
            executions = await self._history.counts(account, month.from_ms)
            # Others may have asked meanwhile: all count in one place.
            known = self._usages.get(account)
            if known and known.month == month:
                return known
            usage = _Usage(month, events.total, sum(executions.values()))
            self._usages[account] = usage
        return usage

    def _check(self, what: str, wanted: int, limit: int, month: Month) -> None:
        if wanted > limit:
            left_s = (month.to_ms - self._clock.now_ms()) // 1_000 + 1
            raise QuotaExceeded(f"expected at most {limit} {what}", retry_after_s=left_s)
