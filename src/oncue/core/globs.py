"""Globs over event types: `*` stands for any run of characters, dots included."""

import re
from collections.abc import Callable
from typing import Final

import re2

GLOB: Final = re.compile(r"[A-Za-z0-9*][A-Za-z0-9._:/*-]{0,254}", re.ASCII)


def check_glob(text: str) -> str:
    """
    Return `text` if it is an event type or a glob of them.

    Raises:
        ValueError: it is neither.
    """
    if not GLOB.fullmatch(text):
        raise ValueError(f"expected an event type or a glob such as 'order.*', got {text!r}")
    return text


def compile_glob(glob: str) -> Callable[[str], bool]:
    """Return what says whether an event type matches `glob`."""
    if "*" not in glob:
        return glob.__eq__
    # RE2, because a glob of many stars takes a backtracking engine hours.
    expression = re2.compile(".*".join(map(re.escape, glob.split("*"))))
    return lambda event_type: expression.fullmatch(event_type) is not None
