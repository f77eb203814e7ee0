"""`matches()` and the regex extension: RE2, which takes time linear in the text."""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import TypeAlias

import re2

from oncue.core.errors import EvaluationError
from oncue.core.expression.budget import Budget, size_of
from oncue.core.expression.values import ABSENT, OptionalValue

MAX_PATTERN_CHARS = 1_000
MAX_TEXT_CHARS = 100_000
# Measured: a pattern with repeats or classes of Unicode takes up to 2.6 ms to compile within
# 256 KiB, others 0.05 to 0.3 ms.
_LARGE_PATTERN_UNITS = 3_000
_PATTERN_UNITS = 200
_MATCH_UNITS = 10
_REFERENCE = re.compile(r"\\(.?)", re.DOTALL)


def _options(*, never_capture: bool) -> re2.Options:
    options = re2.Options()
    options.max_mem = 1 << 18
    options.log_errors = False
    options.never_capture = never_capture
    return options


_Compile: TypeAlias = Callable[[str], "re2._Regexp"]
_SEARCHING = _options(never_capture=True)
_CAPTURING = _options(never_capture=False)


def matches(budget: Budget, text: str, pattern: str) -> bool:
    """
    Return whether `pattern` is found anywhere in `text`.

    Raises:
        EvaluationError: not a pattern of RE2, or a text too long.
        OverBudget: too much to search through.
    """
    compiled = _paid(budget, text, pattern, compile_pattern)
    _charge_search(budget, compiled, len(text))
    return compiled.search(text) is not None


def extract(budget: Budget, text: str, pattern: str) -> OptionalValue:
    """
    Return an optional of the first match, or of the group in it that is not empty.

    Raises:
        EvaluationError: not a pattern of RE2 with at most one group, or a text too long.
        OverBudget: too much to search through.
    """
    compiled = _with_one_group(budget, text, pattern)
    for found in _find(budget, compiled, text):
        content = found[compiled.groups]
        is_match = content or not compiled.groups
        return OptionalValue(content) if is_match else ABSENT
    return ABSENT


def extract_all(budget: Budget, text: str, pattern: str) -> list[object]:
    """
    Return all matches, or the group in each of them that is not empty.

    Raises:
        EvaluationError: not a pattern of RE2 with at most one group, or a text too long.
        OverBudget: too much to search through.
    """
    compiled = _with_one_group(budget, text, pattern)
    group = compiled.groups
    return [found[group] for found in _find(budget, compiled, text) if found[group] or not group]


def replace(budget: Budget, text: str, pattern: str, by: str, limit: int = -1) -> str:
    r"""
    Return `text` with `by` for the first `limit` matches, or for all.

    In `by`, \0 is the match, \1 to \9 are its groups, and \\ is a backslash.

    Raises:
        EvaluationError: not a pattern of RE2, another backslash in `by`, or a text too long.
        OverBudget: too much to search through, or to write.
    """
    if limit == 0:
        return text
    compiled = _paid(budget, text, pattern, _compile_capturing)
    written = _written(by, compiled.groups)
    pieces: list[str] = []
    end = 0
    for count, found in enumerate(_find(budget, compiled, text)):
        if count == limit:
            break
        filled = "".join([part if isinstance(part, str) else found[part] or "" for part in written])
        budget.charge(len(written) + size_of(filled))
        pieces += (text[end : found.start()], filled)
        end = found.end()
    budget.charge(size_of(text))
    return "".join((*pieces, text[end:]))


@lru_cache(maxsize=128)
def compile_pattern(pattern: str) -> "re2._Regexp":
    """
    Return `pattern` compiled for searching.

    Raises:
        EvaluationError: not a pattern of RE2, or one that grows too large.
    """
    return _compile(pattern, _SEARCHING)


@lru_cache(maxsize=128)
def _compile_capturing(pattern: str) -> "re2._Regexp":
    return _compile(pattern, _CAPTURING)


def _compile(pattern: str, options: re2.Options) -> "re2._Regexp":
    if len(pattern) > MAX_PATTERN_CHARS:
        raise EvaluationError(
            f"expected a pattern of at most {MAX_PATTERN_CHARS} characters, got {len(pattern)}"
        )
    try:
        # RE2's own cache is unbounded in bytes: a compiled pattern lives in ours only.
        return re2._Regexp(pattern, options)
    except (re2.error, UnicodeEncodeError) as exc:
        reason = exc.args[0].decode() if isinstance(exc.args[0], bytes) else str(exc)
        raise EvaluationError(f"expected a pattern of RE2, got {pattern!r}: {reason}") from exc


def _paid(budget: Budget, text: str, pattern: str, compile_: _Compile) -> "re2._Regexp":
    if len(text) > MAX_TEXT_CHARS:
        raise EvaluationError(
            f"expected at most {MAX_TEXT_CHARS} characters to search, got {len(text)}"
        )
    is_large = "{" in pattern or "\\p" in pattern
    budget.charge_pattern(pattern, _LARGE_PATTERN_UNITS if is_large else _PATTERN_UNITS)
    return compile_(pattern)


def _with_one_group(budget: Budget, text: str, pattern: str) -> "re2._Regexp":
    compiled = _paid(budget, text, pattern, _compile_capturing)
    if compiled.groups > 1:
        raise EvaluationError(f"expected at most one group in {pattern!r}, got {compiled.groups}")
    return compiled


def _charge_search(budget: Budget, compiled: "re2._Regexp", chars: int) -> None:
    # Measured: up to 6 ns for each character and instruction, where RE2's table of states
    # grows too large and it goes on without.
    budget.charge(chars * int(compiled.programsize) >> 6)


def _find(budget: Budget, compiled: "re2._Regexp", text: str) -> "Iterator[re2._Match]":
    """Yield the matches; an empty one right after another is none, as in Go."""
    end = -1
    remaining = compiled.finditer(text)
    while True:
        # A search may read on to the end of the text and yet find something short.
        _charge_search(budget, compiled, len(text) - max(end, 0))
        found = next(remaining, None)
        if found is None:
            return
        budget.charge(_MATCH_UNITS + size_of(found[0]))
        if found.end() > found.start() or found.start() != end:
            yield found
        end = found.end()


def _written(by: str, groups: int) -> list[str | int]:
    """Return the text of a replacement, and between it the groups that it names."""
    written: list[str | int] = []
    end = 0
    for found in _REFERENCE.finditer(by):
        written.append(by[end : found.start()])
        written.append(_reference(found[1], groups))
        end = found.end()
    return [*written, by[end:]]


def _reference(mark: str, groups: int) -> str | int:
    if mark == "\\":
        return mark
    if mark not in set("0123456789"):
        raise EvaluationError(f"expected a digit or a backslash after \\, got {mark!r}")
    if int(mark) > groups:
        raise EvaluationError(f"expected a group up to {groups}, got \\{mark}")
    return int(mark)
