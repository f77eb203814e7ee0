"""
Language models, by any endpoint that speaks OpenAI's chat completions.

What a model says is kept with the step, so a replay never asks again. Answers
of a shape are asked for by JSON Schema (`response_format`), and checked.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from oncue.core.action import Action, Call, HttpRequest, Idempotency, Need
from oncue.core.errors import MalformedJson, OutcomeUnknown, PermanentError, RetryableError
from oncue.core.http_answer import judge, read_object
from oncue.core.json_text import Json, encode_json, parse_json

_VENDOR: Final = "the model"
_TIMEOUT_MS: Final = 120_000


class GenerateInput(BaseModel):
    """What to ask."""

    model_config = ConfigDict(extra="forbid")

    prompt: Json = Field(default=None, description="The question; other than text is sent as JSON.")
    messages: list[dict[str, Json]] | None = Field(
        default=None, description="A conversation, instead of `prompt`."
    )
    system: str | None = Field(default=None, description="How to answer.")
    model: str | None = Field(default=None, description="By default `ONCUE_AI_MODEL`.")
    max_tokens: int | None = Field(default=None, ge=1, description="Length of the answer.")
    temperature: float | None = Field(default=None, ge=0, le=2, description="How free it is.")
    schema_: dict[str, Json] | None = Field(
        default=None,
        alias="schema",
        description="JSON Schema of the answer, which comes as `data`.",
    )

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if (self.prompt is None) == (self.messages is None):
            got = "none" if self.prompt is None else "both"
            raise ValueError(f"expected either 'prompt' or 'messages', got {got}")
        return self


class GenerateOutput(BaseModel):
    """The answer: `data` with a schema, `text` without."""

    text: str | None
    data: Json
    model: str
    usage: dict[str, int]


class TextInput(BaseModel):
    """A text to read."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(description="What to read.", examples=["I love it!"])
    model: str | None = Field(default=None, description="By default `ONCUE_AI_MODEL`.")


class ClassifyInput(TextInput):
    """A text, and what it may be."""

    categories: list[str] = Field(
        min_length=2, max_length=100, description="One of them is chosen."
    )


class ExtractInput(TextInput):
    """A text, and what to find in it."""

    schema_: dict[str, Json] = Field(alias="schema", description="JSON Schema of what to find.")


class SentimentOutput(BaseModel):
    """How a text sounds; `by` is the model."""

    label: str
    score: float
    by: str


class EntitiesOutput(BaseModel):
    """What is named in a text, with places in it; `by` is the model."""

    entities: list[dict[str, Json]]
    by: str


class ClassOutput(BaseModel):
    """The category; `by` is the model."""

    label: str
    by: str


class SummaryOutput(BaseModel):
    """The summary; `by` is the model."""

    text: str
    by: str


class ExtractOutput(BaseModel):
    """What was found; `by` is the model."""

    data: Json
    by: str


async def _generate(call: Call[GenerateInput]) -> Json:
    given = call.input
    messages: list[Json] = [*(given.messages or ())]
    if given.messages is None:
        prompt = (
            given.prompt if isinstance(given.prompt, str) else encode_json(given.prompt).decode()
        )
        messages = [{"role": "user", "content": prompt}]
    if given.system:
        messages.insert(0, {"role": "system", "content": given.system})
    options = {"max_tokens": given.max_tokens, "temperature": given.temperature}
    text, model, usage = await _ask(call, messages, given.model, given.schema_, options)
    shown: dict[str, Json] = {"model": model, "usage": usage}
    return {**shown, "text": text} if given.schema_ is None else {**shown, "data": _data(text)}


async def _ask(
    call: Call[GenerateInput] | Call[TextInput],
    messages: list[Json],
    model: str | None,
    schema: Mapping[str, Json] | None,
    options: Mapping[str, float | int | None] | None = None,
) -> tuple[str, str, dict[str, Json]]:
    credentials = call.credentials
    chosen = model or credentials.get("model")
    if not chosen:
        raise PermanentError("no model: give 'model', or set ONCUE_AI_MODEL")
    body: dict[str, Json] = {"model": chosen, "messages": messages}
    body |= {name: value for name, value in (options or {}).items() if value is not None}
    if schema is not None:
        named: Json = {"name": "answer", "strict": True, "schema": schema}
        body["response_format"] = {"type": "json_schema", "json_schema": named}
    headers = {"Content-Type": "application/json"}
    if key := credentials.get("api_key"):
        headers["Authorization"] = f"Bearer {key}"
    url = f"{credentials['base_url'].rstrip('/')}/v1/chat/completions"
    answer = await call.send(HttpRequest("POST", url, headers, encode_json(body), _TIMEOUT_MS))
    judge(answer, _VENDOR)
    return _read(read_object(answer, _VENDOR), chosen)


def _read(body: Mapping[str, Json], asked: str) -> tuple[str, str, dict[str, Json]]:
    model, usage = body.get("model", asked), body.get("usage")
    match body.get("choices"):
        case [{"message": {"content": str(text)}}, *_]:
            counts = (
                {k: v for k, v in usage.items() if isinstance(v, int)}
                if isinstance(usage, dict)
                else {}
            )
            return text, str(model), {**counts}
        case _:
            raise OutcomeUnknown(f"expected {_VENDOR} to answer with a message, got something else")


def _data(text: str) -> Json:
    try:
        return parse_json(text.encode())
    except MalformedJson as exc:
        # Another attempt may give what was asked for.
        raise RetryableError(f"expected {_VENDOR} to answer with JSON, got {text[:80]!r}") from exc


def _object(**properties: Json) -> dict[str, Json]:
    return {
        "type": "object",
        "properties": properties,
        "required": [*properties],
        "additionalProperties": False,
    }


async def _judge_text(
    call: Call[TextInput], system: str, schema: dict[str, Json]
) -> tuple[Json, str]:
    messages: list[Json] = [
        {"role": "system", "content": system},
        {"role": "user", "content": call.input.text},
    ]
    text, model, _ = await _ask(call, messages, call.input.model, schema)
    return _data(text), model


async def _sentiment(call: Call[TextInput]) -> Json:
    schema = _object(
        label={"type": "string", "enum": ["positive", "negative", "neutral"]},
        score={"type": "number", "minimum": 0, "maximum": 1},
    )
    found, model = await _judge_text(call, "Judge the sentiment of the text.", schema)
    match found:
        case {
            "label": "positive" | "negative" | "neutral" as label,
            "score": int() | float() as score,
        }:
            return {"label": label, "score": min(max(float(score), 0.0), 1.0), "by": model}
        case _:
            raise RetryableError(f"expected {_VENDOR} to give a label and a score, got others")


async def _entities(call: Call[TextInput]) -> Json:
    entity = _object(text={"type": "string"}, type={"type": "string"})
    schema = _object(entities={"type": "array", "items": entity})
    system = "List the named entities of the text, each exactly as it stands there."
    found, model = await _judge_text(call, system, schema)
    named = found.get("entities") if isinstance(found, dict) else None
    if not isinstance(named, list):
        raise RetryableError(f"expected {_VENDOR} to give a list of entities, got something else")
    return {"entities": [*_placed(named, call.input.text)], "by": model}


def _placed(named: list[Json], text: str) -> list[dict[str, Json]]:
    """Return the entities that stand in the text, with their places; models invent others."""
    placed: list[dict[str, Json]] = []
    after = 0
    for entity in named:
        match entity:
            case {"text": str(part), "type": str(kind)} if part:
                start = text.find(part, after)
                start = text.find(part) if start < 0 else start
                if start >= 0:
                    after = start + len(part)
                    placed.append({"text": part, "type": kind, "start": start, "end": after})
            case _:
                continue
    return placed


async def _classify(call: Call[ClassifyInput]) -> Json:
    schema = _object(label={"type": "string", "enum": [*call.input.categories]})
    found, model = await _judge_text(call, "Choose the category that fits the text best.", schema)
    match found:
        case {"label": str(label)} if label in call.input.categories:
            return {"label": label, "by": model}
        case _:
            raise RetryableError(f"expected {_VENDOR} to choose a category, got something else")


async def _summarize(call: Call[TextInput]) -> Json:
    messages: list[Json] = [
        {"role": "system", "content": "Summarize the text in a few sentences, in its language."},
        {"role": "user", "content": call.input.text},
    ]
    text, model, _ = await _ask(call, messages, call.input.model, None)
    return {"text": text, "by": model}


async def _extract(call: Call[ExtractInput]) -> Json:
    system = "Extract what the schema asks for from the text. Invent nothing."
    found, model = await _judge_text(call, system, dict(call.input.schema_))
    return {"data": found, "by": model}


def _action(
    name: str,
    summary: str,
    models: tuple[type[BaseModel], type[BaseModel]],
    perform: Callable[..., Awaitable[Json]],
    example: Mapping[str, Json],
) -> Action[BaseModel]:
    # A repeated question costs a little, and does no harm.
    return Action(
        name=name,
        summary=summary,
        integration="ai",
        category="ai",
        input=models[0],
        output=models[1],
        idempotency=Idempotency.NONE,
        example=example,
        perform=perform,
        is_harmless_to_repeat=True,
        needs=(Need("base_url", "ONCUE_AI_BASE_URL"),),
    )


AI_ACTIONS = (
    _action(
        "ai_text_generation",
        "Ask a language model.",
        (GenerateInput, GenerateOutput),
        _generate,
        {"prompt": "Write a haiku about events."},
    ),
    _action(
        "ai_sentiment_analysis",
        "Judge how a text sounds.",
        (TextInput, SentimentOutput),
        _sentiment,
        {"text": "I love it!"},
    ),
    _action(
        "ai_named_entity_recognition",
        "Find what is named in a text.",
        (TextInput, EntitiesOutput),
        _entities,
        {"text": "Ada met Charles in London."},
    ),
    _action(
        "ai_classify_text",
        "Choose the category of a text.",
        (ClassifyInput, ClassOutput),
        _classify,
        {"text": "My invoice is wrong.", "categories": ["billing", "support"]},
    ),
    _action(
        "ai_summarize",
        "Say a text in a few sentences.",
        (TextInput, SummaryOutput),
        _summarize,
        {"text": "A long story."},
    ),
    _action(
        "ai_extract",
        "Find data in a text.",
        (ExtractInput, ExtractOutput),
        _extract,
        {"text": "Order 42 for Ada", "schema": {"type": "object"}},
    ),
)
