"""Language models: what is asked, and what is made of their answers."""

from typing import Any

import pytest
from openai.types.chat import ChatCompletion

from oncue.core.errors import ActionError, PermanentError, RetryableError
from oncue.core.json_text import Json
from oncue.testing.vendors import Fixed, Simulators
from tests.vendors import Ask, with_vendors

CLOSED: Json = {
    "type": "object",
    "properties": {"n": {"type": "integer"}},
    "required": ["n"],
    "additionalProperties": False,
}
OPEN: Json = {"type": "object", "properties": {"n": {"type": "integer"}}}


def ask_model(action: str, *replies: str, **document: Json) -> tuple[Any, Any]:
    """Return what the action gave and what the model was asked."""

    async def use(vendors: Simulators, ask: Ask) -> Any:
        vendors.model.say_next(*replies)
        return await ask(action, document), vendors.model.calls[0].body

    found: tuple[Any, Any] = with_vendors(use)
    return found


def test_a_question_is_answered_with_text() -> None:
    output, asked = ask_model(
        "ai_text_generation", "An answer", system="Be brief", prompt={"a": 1}, max_tokens=9
    )

    assert output["text"] == "An answer"
    assert output["model"] == "simulated-model"
    assert output["usage"]["completion_tokens"] == 2
    assert asked == {
        "model": "simulated-model",
        "max_tokens": 9,
        "messages": [
            {"role": "system", "content": "Be brief"},
            {"role": "user", "content": '{"a":1}'},
        ],
    }


def test_a_schema_makes_data_of_the_answer() -> None:
    schema: Json = {"type": "object", "properties": {"n": {"type": "integer"}}}
    output, asked = ask_model("ai_text_generation", '{"n": 5}', prompt="How many?", schema=schema)

    assert output["data"] == {"n": 5}
    assert asked["response_format"]["json_schema"]["schema"] == schema


def test_a_text_is_judged() -> None:
    output, _ = ask_model(
        "ai_sentiment_analysis", '{"label": "positive", "score": 1.7}', text="Great!"
    )

    assert output == {"label": "positive", "score": 1.0, "by": "simulated-model"}


def test_entities_are_those_that_stand_in_the_text() -> None:
    reply = (
        '{"entities": [{"text": "Ada", "type": "person"}, {"text": "Paris", "type": "place"},'
        ' {"text": "Ada", "type": "person"}, {"text": "", "type": "x"}]}'
    )
    output, _ = ask_model("ai_named_entity_recognition", reply, text="Ada met Ada.")

    assert output["entities"] == [
        {"text": "Ada", "type": "person", "start": 0, "end": 3},
        {"text": "Ada", "type": "person", "start": 8, "end": 11},
    ]


def test_a_category_is_one_of_those_given() -> None:
    output, _ = ask_model("ai_classify_text", text="Hi", categories=["billing", "support"])

    assert output == {"label": "billing", "by": "simulated-model"}


def test_a_text_is_summarized_and_data_found_in_it() -> None:
    assert ask_model("ai_summarize", "Short.", text="Long")[0]["text"] == "Short."
    schema: Json = {"type": "object", "properties": {"order": {"type": "integer"}}}
    assert ask_model("ai_extract", text="42", schema=schema)[0]["data"] == {"order": 0}


@pytest.mark.parametrize(
    ("action", "reply", "document"),
    [
        ("ai_sentiment_analysis", "great", {"text": "x"}),
        ("ai_sentiment_analysis", '{"label": "fine", "score": 1}', {"text": "x"}),
        ("ai_named_entity_recognition", "[]", {"text": "x"}),
        ("ai_classify_text", '{"label": "other"}', {"text": "x", "categories": ["a", "b"]}),
        ("ai_text_generation", "no JSON", {"prompt": "x", "schema": {}}),
        ("ai_text_generation", '"five"', {"prompt": "x", "schema": {"type": "integer"}}),
        ("ai_extract", '{"n": "x"}', {"text": "x", "schema": CLOSED}),
    ],
)
def test_an_answer_of_another_shape_is_asked_for_again(
    action: str, reply: str, document: dict[str, Json]
) -> None:
    with pytest.raises(RetryableError):
        ask_model(action, reply, **document)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Fixed(429, headers={"Retry-After": "1"}), RetryableError),
        (Fixed(429, {"error": {"message": "no", "code": "insufficient_quota"}}), PermanentError),
        (
            Fixed(400, {"error": {"message": "no", "code": "context_length_exceeded"}}),
            PermanentError,
        ),
        (Fixed(401, {"error": {"message": "no", "type": "auth"}}), PermanentError),
        (Fixed(200, {"choices": [{"message": {"refusal": "I will not"}}]}), PermanentError),
        (Fixed(200, {"choices": [{"finish_reason": "content_filter"}]}), PermanentError),
        (Fixed(200, {"choices": []}), ActionError),
    ],
)
def test_errors_of_the_endpoint(answer: Any, error: type[Exception]) -> None:
    async def use(vendors: Simulators, ask: Ask) -> None:
        vendors.model.answer_next(answer)
        await ask("ai_summarize", {"text": "x"})

    with pytest.raises(error):
        with_vendors(use)


@pytest.mark.parametrize(("schema", "is_strict"), [(CLOSED, True), (OPEN, False)])
def test_only_a_closed_schema_is_asked_for_strictly(schema: Json, is_strict: bool) -> None:  # noqa: FBT001 a column
    _, asked = ask_model("ai_text_generation", '{"n": 1}', prompt="x", schema=schema)

    assert asked["response_format"]["json_schema"]["strict"] is is_strict


def test_data_may_stand_in_a_block_of_markdown() -> None:
    output, _ = ask_model("ai_extract", '```json\n{"n": 1}\n```', text="x", schema=CLOSED)

    assert output["data"] == {"n": 1}


QUESTIONS: list[tuple[str, dict[str, Json]]] = [
    ("ai_text_generation", {"prompt": "x", "system": "y", "temperature": 0.5, "max_tokens": 5}),
    (
        "ai_text_generation",
        {
            "messages": [
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": "b"},
                {"role": "user", "content": "c"},
            ],
            "model": "other",
            "schema": CLOSED,
        },
    ),
    ("ai_sentiment_analysis", {"text": "x"}),
    ("ai_named_entity_recognition", {"text": "x"}),
    ("ai_classify_text", {"text": "x", "categories": ["a", "b"]}),
    ("ai_summarize", {"text": "x"}),
    ("ai_extract", {"text": "x", "schema": CLOSED}),
]


@pytest.mark.parametrize(("action", "document"), QUESTIONS)
def test_questions_are_what_openai_takes(action: str, document: dict[str, Json]) -> None:
    _, asked = ask_model(action, **document)

    assert asked["messages"]


def test_the_simulator_answers_as_openai_does() -> None:
    async def use(vendors: Simulators, ask: Ask) -> Any:
        await ask("ai_summarize", {"text": "x"})
        return vendors.model.saying("hello").body

    assert ChatCompletion.model_validate(with_vendors(use), strict=True).choices
