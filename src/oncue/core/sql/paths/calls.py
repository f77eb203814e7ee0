"""The functions that a statement calls, by the names that it writes them with."""

from collections.abc import Sequence
from typing import Final

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from oncue.core.sql.paths.kinds import Kind, kind_of_argument
from oncue.core.sql.paths.marks import name_of

_OPENING: Final = (TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE)
_CLOSING: Final = (TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE)


class Calls:
    """Tells what the function takes that an expression is an argument of."""

    def __init__(self, text: str, tokens: Sequence[Token]) -> None:
        self._text = text
        self._tokens = tokens
        self._places = {token.start: place for place, token in enumerate(tokens)}

    def kind_of(self, node: exp.Expr) -> Kind:
        """Return what an argument is taken for."""
        parent = node.parent
        if isinstance(node, exp.Column):
            return self._by_words(node.parts[0].meta.get("start"))
        if isinstance(parent, exp.Anonymous):
            return kind_of_argument(parent.name, node.index or 0)
        names = parent.sql_names() if isinstance(parent, exp.Func) else []
        place = [*parent.arg_types].index(node.arg_key or "this") if parent and names else 0
        kinds = [kind_of_argument(name, place) for name in names]
        return next((kind for kind in kinds if kind is not Kind.VALUE), Kind.VALUE)

    def kind_of_method(self, name: exp.Identifier) -> Kind:
        """Return what a method is called on, as in `data.plan.upper()`."""
        place = self._places.get(name.meta["start"], len(self._tokens))
        return kind_of_argument(name_of(self._text, self._tokens, place + 2), 0)

    def _by_words(self, start: int | None) -> Kind:
        """Go out from a word to the name before the parenthesis that is open there."""
        place = self._places.get(start, 0) if start is not None else 0
        depth, commas = 0, 0
        while place > 0:
            place -= 1
            type_ = self._tokens[place].token_type
            depth += (type_ in _CLOSING) - (type_ in _OPENING)
            commas += type_ is TokenType.COMMA and depth == 0
            if depth < 0:
                if type_ is not TokenType.L_PAREN:
                    return Kind.VALUE
                if name := name_of(self._text, self._tokens, place - 1):
                    return kind_of_argument(name, commas)
                depth, commas = 0, 0
        return Kind.VALUE
