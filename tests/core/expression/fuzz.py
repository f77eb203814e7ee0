"""
Expressions that nobody would write, for as long as asked for.

    python -m tests.core.expression.fuzz MINUTES [SEED]

Whatever the text and the event, there is a value or an error of ours, within the budget's
time. Where there is a value, it is the same without shortcuts, with the checker before it,
and in a second evaluation; and conjuncts admit what made it true.
"""

import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from itertools import count
from typing import Any

from oncue.core.errors import EvaluationError, InvalidInput
from oncue.core.expression import compile_clauses, compile_template, to_json
from oncue.core.expression.budget import OverBudget
from oncue.core.expression.checker import Names
from oncue.core.expression.compiler import Evaluate, compile_tree
from oncue.core.expression.conjuncts import conjuncts, value_at
from oncue.core.expression.excerpts import SourceError
from oncue.core.expression.expression import Checked, check_source, compile_checked
from oncue.core.expression.library import FUNCTIONS
from oncue.core.expression.macros import MACROS
from oncue.core.expression.tokens import read_tokens
from oncue.core.expression.tree import Literal, Node, Root, rebuild
from tests.core.expression.oracle import Unreadable, tagged
from tests.core.expression.random_expressions import RandomExpressions

_SLOW_S = 0.25
"""Of processor time: five times what the budget is made for, as other work may share the cache."""
_NAMES = Names(["event"])
_UNCHECKED = Names(["event"], is_checked=False)
_EXAMPLES = [function.example.text for function in FUNCTIONS.values()] + [
    macro.example for macro in MACROS.values()
]
_TOKENS = ["event", ".", "(", ")", "[", "]", "{", "}", ",", "?", ":", "!", "-", "&&", "||", "==", "<", "in", "+", "*",
           "/", "%", "'a'", "b'a'", "1", "2u", "0.5", "null", "true", "map", "all", "x", "'''", "`a b`", "//", "\\", "é",
           "9223372036854775808", "1e999", "\n", "size", "has", "dyn", "cel.bind(x, event, ", ".?", "[?"]  # fmt: skip


class Finding(Exception):
    """What must not be."""


def examine(text: str, event: Any) -> str:
    """
    Return what becomes of `text`.

    Raises:
        Finding: something that must not be.
    """
    values = {"event": event}
    try:
        unchecked = check_source(text, _UNCHECKED)
    except SourceError:
        return "no expression"
    outcome = _outcome(unchecked.tree, values)
    for name, tree in (("again", unchecked.tree), ("checked", _checked(text))):
        if tree is not None and not _agree(other := _outcome(tree, values), outcome):
            raise Finding(f"{name} it gives {other}, else {outcome}")
    bare, constants = _without_literals(unchecked.tree)
    plain = _outcome(bare, {**values, **constants})
    if not _agree(plain, outcome):
        raise Finding(f"without shortcuts it gives {plain}, else {outcome}")
    _ask_conjuncts(unchecked, values, outcome)
    _render(text, values)
    return str(outcome[0])


def _checked(text: str) -> Node | None:
    try:
        return check_source(text, _NAMES).tree
    except SourceError:
        return None


def _outcome(tree: Node, values: dict[str, Any]) -> tuple[str, Any]:
    begin = time.process_time()
    evaluate, _ = compile_tree(tree)
    try:
        found = _timed(begin, evaluate, values)
        return "value", tagged(found)
    except OverBudget:
        return "over budget", None
    except EvaluationError:
        return "error", None
    except Unreadable:
        return "optional", None


def _timed(begin: float, evaluate: Evaluate, values: dict[str, Any]) -> object:
    try:
        return evaluate(values)
    finally:
        if time.process_time() - begin > _SLOW_S:
            raise Finding(f"it took {time.process_time() - begin:.2f} s")


def _agree(one: tuple[str, Any], other: tuple[str, Any]) -> bool:
    return one == other or "over budget" in (one[0], other[0])


def _without_literals(tree: Node) -> tuple[Node, dict[str, object]]:
    numbers, constants = count(), {}

    def change(node: Node) -> Node:
        if isinstance(node, Literal):
            name = f"k{next(numbers)}"
            constants[name] = node.value
            return Root(node.position, name)
        return rebuild(node, change)

    return change(tree), constants


def _ask_conjuncts(checked: Checked, values: dict[str, Any], outcome: tuple[str, Any]) -> None:
    if outcome == ("value", ["bool", "True"]):
        for conjunct in conjuncts(checked):
            if not conjunct.admits(value_at(values, conjunct.path)):
                raise Finding(f"{conjunct} does not admit what makes it true")
    failure = compile_clauses([checked]).first_failure(values)
    if outcome[0] == "value" and (failure is None) != (outcome[1] == ["bool", "True"]):
        raise Finding(f"as a clause it gives {failure}, else {outcome}")


def _render(text: str, values: dict[str, Any]) -> None:
    try:
        compile_template({"a": [f"x {{{{ {text} }}}}"]}, roots=["event"]).render(values)
        to_json(compile_checked(check_source(text, _NAMES)).evaluate(values))
    except (InvalidInput, EvaluationError, SourceError):
        return


def draw(seed: int) -> Iterator[tuple[str, Any]]:
    """Yield expressions, pieces of expressions, and worse; with events small and large."""
    chance = random.Random(seed)
    expressions = RandomExpressions(seed)
    known = list(_EXAMPLES)
    while True:
        text, event = expressions.draw()
        if chance.random() < 0.2:
            known[chance.randrange(len(known))] = text
        if chance.random() < 0.5:
            text = _spoil(chance, known)
        if chance.random() < 0.3:
            event = _enlarge(chance, event)
        yield text, event


def _spoil(chance: random.Random, known: list[str]) -> str:
    words = [*_words(chance.choice(known)), *_words(chance.choice(known))]
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(words) + 1)
        match chance.randrange(4):
            case 0:
                words[place:place] = [chance.choice(_TOKENS)]
            case 1:
                del words[place : place + chance.randint(1, 3)]
            case 2:
                words[place:place] = words[: chance.randint(0, 6)]
            case _:
                length = chance.randint(1, 4)
                words[place : place + length] *= chance.choice((2, 5, 40))
    return chance.choice((" ", "")).join(words)[:25_000]


def _words(text: str) -> list[str]:
    try:
        return [token.text for token in read_tokens(text) if token.text]
    except SourceError:
        return text.split()


def _enlarge(chance: random.Random, event: Any) -> Any:
    size = chance.choice((100, 1_000, 30_000))
    deep: Any = 1
    for _ in range(chance.choice((10, 60, 190, 300))):
        deep = [deep] if chance.random() < 0.5 else {"a": deep}
    large = (
        list(range(size)), ["é☃" * 40] * (size // 40), "ab" * size, "é☃\U0001f600" * size, {str(n): n for n in range(size)},
        [{"a": n % 7, "s": str(n)} for n in range(size // 4)], deep, [deep] * 20, 10**300, -(10**4_000),
    )  # fmt: skip
    names = chance.sample(["n", "s", "t", "l", "k", "o", "items"], 3)
    return {**event, **{name: chance.choice(large) for name in names}}


def main() -> int:
    """Return 1 if there is a finding."""
    minutes = float(sys.argv[1]) if len(sys.argv) > 1 else 1
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    end = time.monotonic() + minutes * 60
    outcomes: Counter[str] = Counter()
    for text, event in draw(seed):
        try:
            outcomes[examine(text, event)] += 1
        except Finding as exc:
            outcomes["finding"] += 1
            sys.stdout.write(f"{text}\n  {exc}\n  event {str(event)[:500]}\n")
        except Exception:
            sys.stdout.write(f"{text}\n  event {str(event)[:500]}\n{traceback.format_exc()}")
            raise
        if time.monotonic() > end:
            break
    told = ", ".join(f"{number} {name}" for name, number in outcomes.most_common())
    sys.stdout.write(f"{outcomes.total()} texts: {told}\n")
    return 1 if outcomes["finding"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
