"""
What a condition costs beside the same by hand: `python -m bench.expression`.

Every figure is processor time, the best of many rounds, and each ratio is of one run: ours, a lambda and
cel-cpp through its binding for Python take turns. The events are parsed beforehand.
"""

import importlib
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from oncue.core.expression import (
    Clause,
    Fragment,
    check_expression,
    compile_clauses,
    compile_expression,
)

ROUNDS = 200
SLICE_S = 0.002

Condition = Callable[[Mapping[str, Any]], object]

EVENT = {
    "type": "user.signup",
    "data": {
        "plan": "enterprise", "seats": 12, "price": 9.5, "country": "DE", "is_trial": False, "score": 71,
        "email": "a@example.com", "channel": "ads", "tags": ["new", "eu"], "age": 33,
        "items": [{"sku": "a", "price": 2}, {"sku": "b", "price": 30}, {"sku": "c", "price": 4}],
    },
}  # fmt: skip
VALUES = {"event": EVENT}
TEN = (
    "event.data.plan == 'enterprise'", "event.data.seats > 10", "event.data.price < 10.0",
    "event.data.country in ['DE', 'AT']", "!event.data.is_trial", "event.data.email.endsWith('.com')",
    "event.data.score >= 70", "event.data.channel != 'bot'", "event.data.age < 65", "event.type == 'user.signup'",
)  # fmt: skip


def path_by_hand(values: Mapping[str, Any]) -> object:
    return values["event"]["data"]["plan"] == "enterprise"


def ten_by_hand(values: Mapping[str, Any]) -> object:
    return (
        values["event"]["data"]["plan"] == "enterprise"
        and values["event"]["data"]["seats"] > 10
        and values["event"]["data"]["price"] < 10.0
        and values["event"]["data"]["country"] in ("DE", "AT")
        and not values["event"]["data"]["is_trial"]
        and values["event"]["data"]["email"].endswith(".com")
        and values["event"]["data"]["score"] >= 70
        and values["event"]["data"]["channel"] != "bot"
        and values["event"]["data"]["age"] < 65
        and values["event"]["type"] == "user.signup"
    )


def missing_by_hand(values: Mapping[str, Any]) -> object:
    return values["event"]["data"].get("coupon", "none") == "none"


def loop_by_hand(values: Mapping[str, Any]) -> object:
    return any(item["price"] > 10 for item in values["event"]["data"]["items"])


@dataclass(frozen=True, slots=True)
class Question:
    """A condition in CEL and by hand, and how much more ours may take, if that is promised."""

    name: str
    text: str
    by_hand: Condition
    at_most: float | None = None


QUESTIONS = (
    Question("path, three deep", TEN[0], path_by_hand, 2.0),
    Question("ten clauses", " && ".join(TEN), ten_by_hand, 2.5),
    Question("a field that is missing", "event.data.?coupon.orValue('none') == 'none'", missing_by_hand),
    Question("a loop over three", "event.data.items.exists(i, i.price > 10)", loop_by_hand),
)  # fmt: skip


def main() -> int:
    """Print the figures; return 1 if a promise is not kept."""
    kept = [_answer(question) for question in QUESTIONS]
    kept.append(_clauses())
    kept += [_compilation(question) for question in QUESTIONS[:2]]
    return 0 if all(kept) else 1


def _answer(question: Question) -> bool:
    ours = compile_expression(question.text, roots=["event"]).evaluate
    theirs = _cel_cpp(question.text)
    contenders = [ours, question.by_hand, *([theirs] if theirs else [])]
    own, hand, *other = _best(contenders, VALUES)
    ratio = own / hand
    beside = f"{ratio:.2f} of a lambda ({hand:,.0f} ns)"
    if other:
        beside += f", cel-cpp takes {other[0] / own:.1f} times as long ({other[0]:,.0f} ns)"
    _say(question.name, f"{own:,.0f} ns", beside)
    is_fast = not other or other[0] >= 5 * own
    return (question.at_most is None or ratio <= question.at_most) and is_fast


def _clauses() -> bool:
    """The ten clauses as a pattern has them: the first that fails is told."""
    clauses: list[Clause] = [check_expression(text, roots=["event"]) for text in TEN[:-1]]
    clauses.append(Fragment("values['event']['type'] == wanted", {"wanted": "user.signup"}))
    first_failure = compile_clauses(clauses).first_failure
    own, hand = _best([first_failure, ten_by_hand], VALUES)
    _say("ten clauses of a pattern", f"{own:,.0f} ns", f"{own / hand:.2f} of a lambda")
    return own <= 2.5 * hand


def _compilation(question: Question) -> bool:
    (own,) = _best([lambda _: compile_expression(question.text, roots=["event"])], VALUES)
    _say(f"compile {question.name}", f"{own / 1e6:.2f} ms", f"{len(question.text)} characters")
    return own <= 1e6


def _cel_cpp(text: str) -> Condition | None:
    try:
        cel = importlib.import_module("cel_expr_python.cel")
    except ModuleNotFoundError:
        return None
    config = cel.NewEnvConfigFromYaml("extensions:\n- name: optional\n")
    env = cel.NewEnv(config=config, variables={"event": cel.Type.DYN})
    evaluate = env.compile(text).eval
    return lambda values: evaluate(data=values).value()


def _best(contenders: list[Condition], values: Mapping[str, Any]) -> list[float]:
    """Return the nanoseconds that each takes: the best of rounds in which they take turns."""
    repeats = [_repeats(run, values) for run in contenders]
    best = [float("inf")] * len(contenders)
    for _ in range(ROUNDS):
        for place, (run, count) in enumerate(zip(contenders, repeats, strict=True)):
            best[place] = min(best[place], _seconds(run, values, count) / count * 1e9)
    return best


def _repeats(run: Condition, values: Mapping[str, Any]) -> int:
    count = 1
    while _seconds(run, values, count) < SLICE_S:
        count *= 2
    return count


def _seconds(run: Condition, values: Mapping[str, Any], count: int) -> float:
    begin = time.process_time()
    for _ in range(count):
        run(values)
    return time.process_time() - begin


def _say(name: str, figure: str, beside: str) -> None:
    sys.stdout.write(f"{name:<26}{figure:>10}   {beside}\n")


if __name__ == "__main__":
    raise SystemExit(main())
