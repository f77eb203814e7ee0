"""
The workflow interpreter: no clock, no network, no database.

An execution is its history. `evolve` folds one record into the state; `decide`
says what must happen next. `advance` turns the two until nothing more can be
decided; what it returns is one *turn*: the engine writes it down in one commit
and only then carries out the commands in it.

    outcomes ──▶ evolve ──▶ state ──▶ decide ──▶ commands ─┐
                   ▲                                       │
                   └───────────── the same turn ◀──────────┘

Two rules make a crash harmless. `decide` reads nothing but its arguments, so
the same history gives the same commands; and a command is a record that names
its step and attempt, so one that was allowed and has no outcome is seen.
"""

from collections.abc import Iterable

from oncue.core.workflow.decide import decide
from oncue.core.workflow.evolve import evolve
from oncue.core.workflow.plan import Plan
from oncue.core.workflow.records import Outcome, Record
from oncue.core.workflow.state import ExecutionState

__all__ = ["advance", "decide", "evolve"]


def advance(
    plan: Plan, state: ExecutionState, outcomes: Iterable[Outcome], now_ms: int
) -> list[Record]:
    """Return the records of one turn: `outcomes`, and all that follows from them without waiting."""
    turn: list[Record] = []
    for outcome in outcomes:
        turn.append(outcome)
        evolve(state, outcome, now_ms)
    while commands := decide(plan, state, now_ms):
        for command in commands:
            turn.append(command)
            evolve(state, command, now_ms)
    return turn
