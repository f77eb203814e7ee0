"""A statement that is written elsewise at places, and stays as it was everywhere else."""

from oncue.core.errors import InvalidInput
from oncue.core.sql.select.windowing import SHAPES
from oncue.core.sql.text import Edit, Statement, edited


class Draft:
    """A statement by its words, and what is to be written elsewise in it."""

    def __init__(self, statement: Statement) -> None:
        self.statement = statement
        self.words = statement.words
        self.claimed: set[int] = set()
        """Where the names of windows stand that are in FROM or in GROUP BY."""
        marks = [word for word in self.words if word.text == "?"]
        # By number, since what is moved would else get the value of another mark.
        self._edits = [
            Edit(word.start, word.end, f"${number}") for number, word in enumerate(marks, 1)
        ]

    def is_window(self, place: int) -> bool:
        """Return whether a function stands at a place that is named as windows are."""
        return self.words[place].upper in SHAPES and self.is_call(place)

    def is_call(self, place: int) -> bool:
        """Return whether a function stands at a place."""
        return place + 1 < len(self.words) and self.words[place + 1].upper == "("

    def refusal(self, place: int, message: str) -> InvalidInput:
        """Return what to raise: what is wrong with a word."""
        return self.statement.refusal(self.words[place].start, message)

    def insert(self, place: int, text: str) -> None:
        """Write something before a word, right behind the one before it."""
        end = self.words[place - 1].end
        self.replace(end, end, text)

    def replace(self, start: int, end: int, text: str) -> None:
        """Write something instead of a part of the text."""
        self._edits.append(Edit(start, end, text))

    def rendered(self, start: int, end: int) -> str:
        """Return a part of the text with what is written elsewise in it, which is done with then."""
        inside = [each for each in self._edits if start <= each.start and each.end <= end]
        self._edits = [each for each in self._edits if each not in inside]
        return edited(self.statement.text, inside, start, end)
