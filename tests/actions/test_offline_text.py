"""What is said of a text without a model, and that it is said so."""

from typing import Any

import pytest

from oncue.actions.offline_text import MAX_CHARS, entities, mood
from oncue.core.errors import PermanentError
from oncue.core.json_text import Json
from oncue.testing.vendors import Simulators
from tests.vendors import Ask, with_vendors


def _offline(action: str, text: str) -> Any:
    async def use(vendors: Simulators, ask: Ask) -> Json:
        vendors.hide("ONCUE_AI_BASE_URL")
        found = await ask(action, {"text": text})
        assert vendors.model.calls == []
        return found

    return with_vendors(use)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("I love it, thank you so much!", "positive"),
        ("This is terrible. I want my money back.", "negative"),
        ("It is not good.", "negative"),
        ("The parcel has twelve pages.", "neutral"),
        ("", "neutral"),
    ],
)
def test_the_mood_of_a_text(text: str, label: str) -> None:
    found, score = mood(text)

    assert (found, 0 <= score <= 1) == (label, True)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "Ada Lovelace met Charles in London.",
            ["name:Ada Lovelace", "name:Charles", "name:London"],
        ),
        ("The Bank of England is here.", ["name:Bank of England"]),
        ("Hello, write to ada@example.com.", ["email:ada@example.com"]),
        ("See https://example.com/a?b=1.", ["url:https://example.com/a?b=1"]),
        ("Call +44 20 7946 0123 today", ["phone:+44 20 7946 0123"]),
        ("Due on 2026-11-23 or 23 November 2026", ["date:2026-11-23", "date:23 November 2026"]),
        ("It was March 3, 2026.", ["date:March 3, 2026"]),
        ("It costs $1,200.50 or 30 EUR", ["money:$1,200.50", "money:30 EUR"]),
        ("Order 4711 is on its way", []),
        ("nothing here, at all", []),
        ("", []),
    ],
)
def test_what_is_recognised(text: str, found: list[str]) -> None:
    assert [f"{one['type']}:{one['text']}" for one in entities(text)] == found


def test_places_are_those_in_the_text() -> None:
    text = "Grüße an Ada (ada@example.com), 12 €, von Zoë."

    found: list[Any] = [*entities(text)]
    assert all(text[one["start"] : one["end"]] == one["text"] for one in found)
    assert {one["type"] for one in found} >= {"email", "name"}


@pytest.mark.timeout(5)
@pytest.mark.parametrize(
    "part", ["a@", "1 ", "A ", "Ab ", "https://", "$1,", "1-", "of A", "(", "é"]
)
def test_no_text_takes_long(part: str) -> None:
    entities(part * (MAX_CHARS // len(part)))


def test_answers_say_that_no_model_was_asked() -> None:
    assert _offline("ai_sentiment_analysis", "I love it!") == {
        "label": "positive",
        "score": 0.6696,
        "by": "vader (offline, English)",
    }
    assert _offline("ai_named_entity_recognition", "I saw Ada today") == {
        "entities": [{"text": "Ada", "type": "name", "start": 6, "end": 9}],
        "by": "oncue rules (offline)",
    }


@pytest.mark.parametrize("action", ["ai_sentiment_analysis", "ai_named_entity_recognition"])
def test_a_long_text_is_for_models(action: str) -> None:
    with pytest.raises(PermanentError, match="at most 10000 characters without a model"):
        _offline(action, "x" * (MAX_CHARS + 1))


def test_other_questions_need_a_model() -> None:
    with pytest.raises(PermanentError, match="no connection for ai: set ONCUE_AI_BASE_URL"):
        _offline("ai_summarize", "A long story")
