"""
Language models, by any endpoint that speaks OpenAI's chat completions.

What a model says is kept with the step, so a replay never asks again. Answers
of a shape are asked for by JSON Schema (`response_format`), and checked. Where no
endpoint is set, mood and names are found by what is at hand offline.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from oncue.actions import offline_text
from oncue.core.action import Action, Call, HttpAnswer, HttpRequest, Idempotency, Need
from oncue.core.errors import (
    ActionError,
    MalformedJson,
    OutcomeUnknown,
    PermanentError,
    RetryableError,
)
from oncue.core.http_answer import error_object, failure, read_object
from oncue.core.json_schema import compile_schema
from oncue.core.json_text import Json, encode_json, parse_json

_VENDOR: Final = "the model"
_TIMEOUT_MS: Final = 120_000
_FENCE = re.compile(r"```(?:json)?\s*\n(.*?)\n?```", re.DOTALL)


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
    """How a text sounds; `by` is the model, or says that it was done offline."""

    label: str
    score: float
    by: str


class EntitiesOutput(BaseModel):
    """What is named in a text, and where; `by` is the model, or says that it was done offline."""

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
    if given.schema_ is None:
        return {**shown, "text": text}
    return {**shown, "data": _shaped(text, given.schema_)}


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
        # Strict answers take schemas only that leave nothing open.
        named: Json = {"name": "answer", "strict": _is_closed(schema), "schema": {**schema}}
        body["response_format"] = {"type": "json_schema", "json_schema": named}
    headers = {"Content-Type": "application/json"}
    if key := credentials.get("api_key"):
        headers["Authorization"] = f"Bearer {key}"
    url = f"{credentials['base_url'].rstrip('/')}/v1/chat/completions"
    answer = await call.send(HttpRequest("POST", url, headers, encode_json(body), _TIMEOUT_MS))
    if not 200 <= answer.status < 300:
        raise _refusal(answer)
    return _read(read_object(answer, _VENDOR), chosen)


def _refusal(answer: HttpAnswer) -> ActionError:
    match error_object(answer).get("error"):
        case {"message": str(message), **more}:
            code = more.get("code") or more.get("type")
            says = f"{message} ({code})" if code else message
            # Their answer to who has nothing left to spend is 429 as well.
            is_spent = code == "insufficient_quota"
            return failure(
                answer, _VENDOR, says=says, permanent=frozenset((429,)) if is_spent else frozenset()
            )
        case _:
            return failure(answer, _VENDOR)


def _is_closed(schema: Json) -> bool:
    """Return whether all objects of a schema list all their properties as required."""
    if isinstance(schema, list):
        return all(map(_is_closed, schema))
    if not isinstance(schema, Mapping):
        return True
    if "properties" in schema or schema.get("type") == "object":
        properties, required = schema.get("properties", {}), schema.get("required", [])
        if not isinstance(properties, Mapping) or not isinstance(required, list):
            return False
        if schema.get("additionalProperties") is not False or {*map(str, required)} != {
            *properties
        }:
            return False
    return all(map(_is_closed, schema.values()))


def _read(body: Mapping[str, Json], asked: str) -> tuple[str, str, dict[str, Json]]:
    model, usage = body.get("model", asked), body.get("usage")
    match body.get("choices"):
        case [{"message": {"refusal": str(refusal)}}, *_]:
            raise PermanentError(f"{_VENDOR} refuses: {refusal}")
        case [{"finish_reason": "content_filter"}, *_]:
            raise PermanentError(f"{_VENDOR} was stopped by its filter of contents")
        case [{"message": {"content": str(text)}}, *_]:
            counts = (
                {k: v for k, v in usage.items() if isinstance(v, int)}
                if isinstance(usage, dict)
                else {}
            )
            return text, str(model), {**counts}
        case _:
            raise OutcomeUnknown(f"expected {_VENDOR} to answer with a message, got something else")


def _shaped(text: str, schema: Mapping[str, Json]) -> Json:
    return _checked(_data(text), schema)


def _checked(data: Json, schema: Mapping[str, Json]) -> Json:
    try:
        problems = compile_schema({**schema}).problems(data)
    except ValueError as exc:
        raise PermanentError(f"schema: {exc}") from exc
    if problems:
        place = problems[0].path or "the answer"
        raise RetryableError(f"{_VENDOR} left the schema: {place}: {problems[0].message}")
    return data


def _data(text: str) -> Json:
    # Small models put it into a block of Markdown, whatever they are told.
    fenced = _FENCE.fullmatch(text.strip())
    try:
        return parse_json((fenced[1] if fenced else text).encode())
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
    if "base_url" not in call.credentials:
        label, score = await asyncio.to_thread(offline_text.mood, _short_enough(call.input))
        return {"label": label, "score": score, "by": offline_text.MOOD_BY}
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


def _short_enough(given: TextInput) -> str:
    if len(given.text) > offline_text.MAX_CHARS:
        most = offline_text.MAX_CHARS
        raise PermanentError(f"text: expected at most {most} characters without a model, got more")
    return given.text


async def _entities(call: Call[TextInput]) -> Json:
    if "base_url" not in call.credentials:
        named_here = await asyncio.to_thread(offline_text.entities, _short_enough(call.input))
        return {"entities": [*named_here], "by": offline_text.ENTITIES_BY}
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
    return {"data": _checked(found, call.input.schema_), "by": model}


def _action(
    name: str,
    summary: str,
    models: tuple[type[BaseModel], type[BaseModel]],
    perform: Callable[..., Awaitable[Json]],
    example: Mapping[str, Json],
    *,
    works_offline: bool = False,
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
        needs=() if works_offline else (Need("base_url", "ONCUE_AI_BASE_URL"),),
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
        works_offline=True,
    ),
    _action(
        "ai_named_entity_recognition",
        "Find what is named in a text.",
        (TextInput, EntitiesOutput),
        _entities,
        {"text": "Ada met Charles in London."},
        works_offline=True,
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
