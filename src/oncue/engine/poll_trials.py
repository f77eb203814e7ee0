"""
Queries of polled patterns, asked once before they are saved, so that what is wrong is told then.

What is asked already is not tried: whoever renames a pattern need not mend its query first.
Documents that are saved together are tried one after the other. That has an end: what no time
was left for is saved untried, and the first poll tells what is wrong with it.
"""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Final

from oncue.core.errors import InvalidInput, Problem
from oncue.core.pattern.polled.poll import Answer, Poll
from oncue.core.problems import nearest
from oncue.engine.active_patterns import ActivePatterns, activated
from oncue.engine.poll_answers import answer_to
from oncue.ports import EventLog, EventQuestions, PatternVersion

MAX_S: Final = 20
"""For how long queries are begun that are saved together."""


class PollTrials:
    """Asks the queries of patterns that are to be saved."""

    def __init__(self, active: ActivePatterns, log: EventLog, questions: EventQuestions) -> None:
        self._active = active
        self._log = log
        self.questions = questions

    def begin(self) -> "Trial":
        """Return a trial of what is saved together."""
        return Trial(self)

    async def check(self, account: str, patterns: Iterable[tuple[PatternVersion, str]]) -> None:
        """
        Return if the queries of patterns, each with its path, can be asked over stored events.

        Raises:
            InvalidInput: with all problems.
            Overloaded: too many ask.
        """
        trial = self.begin()
        problems = [
            problem
            for pattern, path in patterns
            for problem in await trial.problems(account, pattern, path)
        ]
        if problems:
            raise InvalidInput(problems)

    async def untried(self, account: str, pattern: PatternVersion) -> Poll | None:
        """Return what a version would ask that is not asked for it already."""
        if not pattern.is_active:
            return None
        poll = activated(pattern).plan.looking.poll
        if poll is None:
            return None
        seen = await self._active.at(account, self._log.head(account))
        asked = [each.plan.looking.poll for each in seen if each.id == pattern.id]
        return None if poll in asked else poll


class Trial:
    """Queries that are saved together. `left` are the paths of those that there was no time for."""

    def __init__(self, trials: PollTrials) -> None:
        self._trials = trials
        self._time = asyncio.get_running_loop().time
        self._end = self._time() + MAX_S
        self.left: list[str] = []

    async def problems(self, account: str, pattern: PatternVersion, path: str) -> list[Problem]:
        """
        Return what is wrong with the query of a pattern that stands at `path`.

        Raises:
            Overloaded: too many ask.
        """
        poll = await self._trials.untried(account, pattern)
        if poll is None:
            return []
        if self._time() >= self._end:
            self.left.append(path)
            return []
        return await problems_with(self._trials.questions, account, poll, path)


async def problems_with(
    questions: EventQuestions, account: str, poll: Poll, path: str
) -> list[Problem]:
    """
    Return what is wrong with the query of a pattern that stands at `path`.

    Raises:
        Overloaded: too many ask.
    """
    try:
        answer = await answer_to(questions, account, poll)
    except InvalidInput as exc:
        return [Problem(f"{path}.query", problem.message) for problem in exc.problems]
    return [*_unnamed(poll, answer, path)]


def _unnamed(poll: Poll, answer: Answer, path: str) -> Iterator[Problem]:
    """Yield which columns of an identity the query does not give."""
    for place, name in enumerate(poll.identity):
        if name not in answer.columns:
            expected = f"expected a column of the query ({', '.join(answer.columns)})"
            hint = nearest(name, answer.columns)
            yield Problem(f"{path}.identity[{place}]", f"{expected}, got {name!r}{hint}")
