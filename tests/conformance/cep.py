"""
Flink CEP's cases (`cep-cases/1`, `cep-cases/1+vars`) as patterns.

All is said in public JSON, but for a skip target that throws where it is missed: there the
plan is changed. Where no time is set, all events lie within the time.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from oncue.core.json_text import Json
from oncue.core.pattern.nfa.skip import MissedTarget
from tests.conformance.cases import (
    Result,
    Unsupported,
    Verdict,
    Way,
    list_of,
    number_of,
    object_of,
    objects_of,
    text_of,
)
from tests.conformance.driving import CaseEvent, CaseMatch, plan_of, run_pattern, run_plan

WITHOUT_VARIABLES = "cep-cases/1"
WITH_VARIABLES = "cep-cases/1+vars"
EVENT_TYPE = "flink.event"
CONTIGUITY = {
    "begin": "relaxed",
    "next": "strict",
    "followedBy": "relaxed",
    "followedByAny": "any",
    "notNext": "strict",
    "notFollowedBy": "relaxed",
}
INNER = {"consecutive": "strict", "combinations": "any"}
SKIPS = {
    "NO_SKIP": "no_skip",
    "SKIP_TO_NEXT": "skip_to_next",
    "SKIP_PAST_LAST_EVENT": "skip_past_last",
}
THROWS = " THROW_ON_MISS"


@dataclass(frozen=True)
class Found:
    """What the engine gave for a case: matches, partial matches that timed out, or an error."""

    matches: list[CaseMatch]
    timeouts: list[CaseMatch]
    error: str | None = None


Shape: TypeAlias = Callable[[Found, Mapping[str, str]], Json]


def judge(case: Mapping[str, Json], oracle: Mapping[str, Json] | None) -> Result:
    """Return what a case comes to that expects sets of events; an oracle tells more of them."""
    return _judge(case, oracle, _ids_of_all)


def judge_with_variables(case: Mapping[str, Json], oracle: Mapping[str, Json] | None) -> Result:
    """Return what a case comes to that expects variables, their order, and where it was found."""
    return _judge(case, oracle, _variables_of_all)


def _judge(case: Mapping[str, Json], oracle: Mapping[str, Json] | None, shape: Shape) -> Result:
    id_ = text_of(case["id"])
    pattern = object_of(case["pattern"])
    throws = text_of(pattern["after_match_skip"]).endswith(THROWS)
    way = Way.OPERATOR if throws else Way.PUBLIC
    try:
        found = _run(case, throws=throws)
    except Unsupported as exc:
        return Result(id_, Verdict.UNSUPPORTED, str(exc))
    names = _names(pattern)
    actual = {"error": found.error} if found.error else shape(found, names)
    wrong = [*_differences(case, actual, found), *_oracle_differences(oracle, found, names)]
    if wrong:
        return Result(id_, Verdict.FAILED, "; ".join(wrong), actual, way)
    is_judged = "expected" in case or oracle is not None
    return Result(id_, Verdict.PASSED if is_judged else Verdict.UNJUDGED, "", actual, way)


def _run(case: Mapping[str, Json], *, throws: bool) -> Found:
    document = _document(object_of(case["pattern"]))
    events = [_event(event) for event in objects_of(case["events"])]
    last_ms = max((event.time_ms for event in events), default=0)
    try:
        if throws:
            plan = plan_of(document)
            plan = replace(plan, after_match=replace(plan.after_match, is_strict=True))
            matches = run_plan(plan, events, last_ms)
        else:
            matches = run_pattern(document, events, last_ms)
    except MissedTarget as exc:
        return Found([], [], str(exc))
    return Found(
        [match for match in matches if match.kind != "timeout"],
        [match for match in matches if match.kind == "timeout"],
    )


def _event(event: Mapping[str, Json]) -> CaseEvent:
    data = {name: value for name, value in event.items() if name not in ("id", "ts")}
    return CaseEvent(text_of(event["id"]), EVENT_TYPE, number_of(event["ts"]), data)


def _names(pattern: Mapping[str, Json]) -> dict[str, str]:
    """Return the variables of the case by the names of steps, which are plainer."""
    return {f"s{i}": text_of(step["var"]) for i, step in enumerate(objects_of(pattern["steps"]))}


def _document(pattern: Mapping[str, Json]) -> dict[str, Json]:
    steps = [_step(i, step) for i, step in enumerate(objects_of(pattern["steps"]))]
    within = "3650d" if pattern["within_ms"] is None else f"{pattern['within_ms']}ms"
    if pattern["within_type"] == "PREVIOUS_AND_CURRENT" and pattern["within_ms"] is not None:
        steps[-1]["within"] = within
        within = "3650d"
    return {
        "type": "sequence",
        "steps": steps,
        "within": within,
        "after_match": _skip(pattern),
        "overlap": "each",
        "on_timeout": "emit",
        "scope": "all",
        "emit_all": True,
    }


def _skip(pattern: Mapping[str, Json]) -> Json:
    text = text_of(pattern["after_match_skip"]).removesuffix(THROWS)
    if text in SKIPS:
        return SKIPS[text]
    kind, _, variable = text.rstrip("]").partition("[")
    name = next(name for name, of_case in _names(pattern).items() if of_case == variable)
    return {kind.lower(): name}


def _step(number: int, step: Mapping[str, Json]) -> dict[str, Json]:
    op = text_of(step["op"])
    spelled: dict[str, Json] = {
        "as": f"s{number}",
        "event": EVENT_TYPE,
        "contiguity": CONTIGUITY[op],
    }
    if step["where"] is not None:
        spelled["where"] = cel_of(object_of(step["where"]))
    if op.startswith("not"):
        spelled["not"] = True
    quantifier = object_of(step.get("quantifier") or {})
    if quantifier:
        inner = quantifier.get("contiguity")
        spelled["times"] = {
            "min": quantifier["min"],
            "max": quantifier["max"],
            "contiguity": INNER[text_of(inner)] if inner else "relaxed",
        }
        spelled["optional"] = bool(quantifier.get("optional"))
        spelled["greedy"] = bool(quantifier.get("greedy"))
        if quantifier["min"] == quantifier["max"] == 1:
            del spelled["times"], spelled["greedy"]
    if step.get("until") is not None:
        spelled["until"] = cel_of(object_of(step["until"]))
    return spelled


def cel_of(tree: Mapping[str, Json]) -> str:
    """Return a condition of a case as CEL; a field that is missing satisfies nothing."""
    for name, operator in (("and", " && "), ("or", " || ")):
        if name in tree:
            return "(" + operator.join(cel_of(each) for each in objects_of(tree[name])) + ")"
    if "not" in tree:
        return f"!{cel_of(object_of(tree['not']))}"
    field, value = f"event.data.{text_of(tree['field'])}", tree["value"]
    spelled = f"{value!r}" if isinstance(value, str) else str(value)
    guard = f"has({field}) && "
    match tree["op"]:
        case "contains" | "startsWith" | "endsWith" as method:
            return f"({guard}{field}.{method}({spelled}))"
        case str(op) if op in ("==", "!=", "<", "<=", ">", ">="):
            return f"({guard}{field} {op} {spelled})"
        case op:
            raise Unsupported(f"condition {op}")


def _bound(match: CaseMatch, names: Mapping[str, str]) -> dict[str, Json]:
    return {names[name]: list(ids) for name, ids in match.bindings.items()}


def _variables_of_all(found: Found, names: Mapping[str, str]) -> Json:
    return [{"emitted_at": match.found_at, "vars": _bound(match, names)} for match in found.matches]


def _ids_of_all(found: Found, names: Mapping[str, str]) -> Json:
    assert names
    return [_ids(match) for match in found.matches]


def _ids(match: CaseMatch) -> list[str]:
    return [id_ for ids in match.bindings.values() for id_ in ids]


def _differences(case: Mapping[str, Json], actual: Json, found: Found) -> list[str]:
    if case.get("expected_error") is not None:
        return [] if found.error else ["expected an error"]
    expected = case.get("expected")
    if expected is None:
        return []
    if found.error is not None:
        return [f"expected matches, got the error {found.error!r}"]
    if any(isinstance(match, Mapping) for match in list_of(expected)):
        return [] if actual == expected else [f"expected {expected}, got {actual}"]
    wanted = Counter(_set(match) for match in list_of(expected))
    got = Counter(tuple(sorted(_ids(match))) for match in found.matches)
    return [] if wanted == got else [f"expected {expected}, got {actual}"]


def _set(match: Json) -> tuple[str, ...]:
    return tuple(sorted(text_of(id_) for id_ in list_of(match)))


def _oracle_differences(
    oracle: Mapping[str, Json] | None, found: Found, names: Mapping[str, str]
) -> list[str]:
    if oracle is None:
        return []
    if "error" in oracle:
        return [] if found.error else ["expected an error, by the oracle"]
    matches = [{"at": match.found_at, "vars": _bound(match, names)} for match in found.matches]
    timeouts = [
        {"ts": match.time_ms, "at": match.found_at, "vars": _bound(match, names)}
        for match in found.timeouts
    ]
    return [
        f"expected {kind} {wanted}, got {got}"
        for kind, wanted, got in (
            ("matches", oracle["matches"], matches),
            ("timeouts", oracle["timeouts"], timeouts),
        )
        # Only of a case that is about timeouts does the oracle list any.
        if wanted != got and (kind == "matches" or wanted)
    ]
