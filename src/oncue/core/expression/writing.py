"""
Python text while it is written: modules of functions, and their statements.

Nothing of a user's text reaches it but as a quoted constant: names are made
here, and what has no literal becomes a constant of the module.

An emitter writes the statements that a node needs and returns an expression,
to be used once, in the same block. Blocks that grow deep go on in a function of
their own, since Python bounds the nesting of blocks.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from keyword import iskeyword
from math import inf
from typing import TypeAlias

from oncue.core.expression.tree import (
    Field,
    HasField,
    Literal,
    Local,
    Node,
    Root,
    children,
    static_kind,
)
from oncue.core.expression.values import Kind

# Python refuses more than 20 blocks within one another; an emitter adds up to three.
_MAX_BLOCKS = 12

# Each is a parameter, and set at each call.
_MAX_NAMED = 32

_INDENT = "    "
# A call, or an error raised again.
_MAY_RAISE = re.compile(r"\w\(|raise ")

Chain: TypeAlias = tuple[str, ...]
"""A root and the fields after it."""


@dataclass(slots=True)
class _Guard:
    """A block whose errors are handled, and the one path that may be read in it the short way."""

    blocks: int
    chain: Chain = ()


class Module:
    """The functions that one compilation makes, and the constants that they name."""

    def __init__(self, emit: "Callable[[Part, Node], str]") -> None:
        self.emit = emit
        self.constants: dict[str, object] = {}
        self.numbers = count(1)
        self.uses_budget = False
        self._names: dict[int, str] = {}
        self._functions: list[list[str]] = []

    @property
    def is_one_function(self) -> bool:
        """Whether there is but one function; then the constants are its last parameters."""
        return len(self._functions) == 1

    def write(
        self,
        name: str,
        parameters: Iterable[str],
        body: "Callable[[Part], None]",
        shared: Iterable[Chain],
    ) -> str:
        """Add the function `name`, which is the last, and return the whole text."""
        part = Part(self, ())
        for chain in shared:
            part.share(chain)
        body(part)
        budget = ["    budget = Budget()"] if self.uses_budget else []
        constants = () if self._functions else self.constants
        head = f"def {name}({', '.join((*parameters, *constants))}):"
        self._functions.append([head, *budget, *part.lines])
        return "\n\n".join("\n".join(lines) for lines in self._functions) + "\n"

    def write_apart(self, node: Node, variables: Chain) -> str:
        """Add a function that gives the value of `node`, and return its name."""
        name = f"part_{next(self.numbers)}"
        part = Part(self, variables)
        part.line(f"return {part.emit(node)}")
        head = f"def {name}({', '.join(('values', 'budget', *variables))}):"
        self._functions.append([head, *part.lines])
        return name

    def name_constant(self, prefix: str, value: object) -> str:
        """Return the name under which the text finds `value`."""
        name = self._names.get(id(value))
        if name is None:
            name = self._names[id(value)] = f"{prefix}_{next(self.numbers)}"
            self.constants[name] = value
        return name


class Part:
    """The body of one function while it is written."""

    def __init__(self, module: Module, variables: Chain) -> None:
        self.module = module
        self.lines: list[str] = []
        self._variables = variables
        self.paths = _Paths()
        self._blocks = 1
        self._guard: _Guard | None = None

    def emit(self, node: Node) -> str:
        """Write the statements that `node` needs and return its value as an expression."""
        if self._blocks > _MAX_BLOCKS and not isinstance(node, Literal | Local | Root | Field):
            name = self.module.write_apart(node, self._variables)
            return f"{name}({', '.join(('values', self.budget(), *self._variables))})"
        return self.module.emit(self, node)

    def emit_bool(self, node: Node) -> str:
        """Emit `node` as a name or expression that is True or False and nothing else."""
        text = self.emit(node)
        if static_kind(node) is Kind.BOOL:
            return text
        name = self.named(text)
        self.line(f"if {name} is not True and {name} is not False: refuse_non_bool({name})")
        return name

    def line(self, text: str) -> None:
        """Write a statement."""
        self.lines.append(_INDENT * self._blocks + text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Write `head`, and what is written inside it below."""
        self.line(head)
        self._blocks += 1
        yield
        self._blocks -= 1

    @contextmanager
    def guarded(self, respond: Callable[[str], str], caught: str = "kept(error)") -> Iterator[None]:
        """
        Write what may fail, and after it the statement that `respond` gives for an error.

        `caught` is what is made of the error first; by default one out of budget goes on.
        """
        before, begin = self._guard, len(self.lines)
        with self.block("try:"):
            guard = self._guard = _Guard(self._blocks)
            yield
        self._guard = before
        may_raise = any(map(_MAY_RAISE.search, self.lines[begin:]))
        if may_raise:
            self.line(f"except EvaluationError as error: {respond(caught)}")
        if guard.chain:
            root, *names = guard.chain
            error = f"missing(values, {root!r}, {tuple(names)!r})"
            self.line(f"except FAULTS: {respond(error)}")
        if not may_raise and not guard.chain:
            self.lines[begin:] = [line[len(_INDENT) :] for line in self.lines[begin + 1 :]]

    def guards(self, chain: Chain) -> bool:
        """Return whether the guard around this block says what is wrong with `chain`, if it is."""
        guard = self._guard
        if guard is None or guard.chain or guard.blocks != self._blocks:
            return False
        guard.chain = chain
        return True

    @contextmanager
    def declared(self, *variables: str) -> Iterator[None]:
        """Let parts know the variables of a loop or binding."""
        before = self._variables
        self._variables += variables
        yield
        self._variables = before

    def fresh(self, hint: str = "") -> str:
        """Return a name that nothing has yet."""
        number = next(self.module.numbers)
        is_plain = hint.isidentifier() and hint.isascii()
        return f"v{number}_{hint[:30]}" if is_plain else f"v{number}"

    def named(self, text: str, hint: str = "") -> str:
        """Return a variable that holds `text`."""
        if text.isidentifier() and not iskeyword(text):
            return text
        name = self.fresh(hint)
        self.line(f"{name} = {text}")
        return name

    def budget(self) -> str:
        """Return the name of the evaluation's budget."""
        self.module.uses_budget = True
        return "budget"

    def constant(self, value: object) -> str:
        """
        Return `value` as a name, or as a literal of Python.

        Functions that differ in named values alone have one text, and share its code.
        """
        if value is None or value.__class__ is bool:
            return repr(value)
        has_literal = value.__class__ in (int, str, bytes) or (
            value.__class__ is float and value == value and value not in (inf, -inf)
        )
        if has_literal and len(self.module.constants) >= _MAX_NAMED:
            return repr(value)
        return self.module.name_constant("k", value)

    def share(self, chain: Chain) -> None:
        """Read `chain` once for all; its variable holds None where nothing is there."""
        text = self.paths.short_way(chain)
        name = self.paths.variables[chain] = self.fresh(chain[-1])
        self.line(f"try: {name} = {text}")
        self.line(f"except FAULTS: {name} = None")


class _Paths:
    """The variables that may hold what is at the beginning of a path."""

    def __init__(self) -> None:
        self.variables: dict[Chain, str] = {}

    def short_way(self, chain: Chain) -> str:
        """Return `chain` as steps from the nearest variable before its end."""
        for end in range(len(chain) - 1, 0, -1):
            if name := self.variables.get(chain[:end]):
                return name + _steps(chain[end:])
        return f"values{_steps(chain)}"


def chain_of(node: Node) -> Chain:
    """Return the root and fields that `node` reads, or nothing where it is more than that."""
    if node.__class__ is not Field and node.__class__ is not Root:
        return ()
    names: list[str] = []
    while isinstance(node, Field) and not node.is_optional:
        names.append(node.name)
        node = node.operand
    return (node.name, *reversed(names)) if isinstance(node, Root) else ()


def shared_chains(trees: Iterable[Node]) -> list[Chain]:
    """Return what several paths of `trees` have in common, the shorter first."""
    found: Counter[Chain] = Counter()
    for tree in trees:
        _count_beginnings(tree, found)
    return sorted((chain for chain, times in found.items() if times > 1), key=len)


def _count_beginnings(node: Node, found: Counter[Chain]) -> None:
    chain = chain_of(node)
    if not chain:
        chain = (*chain_of(node.operand), node.name) if isinstance(node, HasField) else ()
    for end in range(2, len(chain)):
        found[chain[:end]] += 1
    if not chain:
        for inner in children(node):
            _count_beginnings(inner, found)


def _steps(names: Iterable[str]) -> str:
    return "".join(f"[{name!r}]" for name in names)
