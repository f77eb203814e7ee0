"""A hook as somebody writes it down; its secrets never stand in a message."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal, Self

from pydantic import Field, ValidationError, model_validator

from oncue.core.documents import Document, DurationMs, Name
from oncue.core.errors import InvalidInput, Problem
from oncue.core.event import TYPE
from oncue.core.expression import Template, compile_template
from oncue.core.hook.schemes import DEFAULT_FIELD, DEFAULT_TOLERANCE_MS, Scheme, Terms
from oncue.core.integration import HINT_MASK
from oncue.core.json_text import Json
from oncue.core.problems import problems_of

MAX_SECRETS: Final = 5
MAX_SECRET: Final = 1_024
ROOTS: Final = ("body", "headers", "query")
"""What a template of a hook may read."""
TEMPLATES: Final = ("type", "source", "subject", "event_id")
_TIMED: Final = (Scheme.STANDARD, Scheme.STRIPE, Scheme.SLACK)
_SECRET = re.compile(r"[^\x00-\x1f\x7f]+")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{16,256}", re.ASCII)
_HEADER: Final = r"^[A-Za-z0-9-]{1,100}$"
_MAX_TOLERANCE_MS: Final = 86_400_000
_ONE_SECRET = Annotated[str, Field(json_schema_extra={"writeOnly": True})]

Text = Annotated[str, Field(min_length=1, max_length=1_024)]
Tolerance = Annotated[DurationMs, Field(gt=0, le=_MAX_TOLERANCE_MS)]


class Verified(Document):
    """How the sender of a webhook is known."""

    scheme: Scheme = Field(examples=["github"])
    secret: _ONE_SECRET | list[_ONE_SECRET] | None = Field(
        default=None,
        description="What the sender signs with; several, while it is being changed. "
        "By default WEBHOOK_SECRET, or one that is made and shown once.",
    )
    header: str | None = Field(
        default=None,
        pattern=_HEADER,
        description="Where the signature of `hmac-sha256` stands.",
        examples=["X-Signature"],
    )
    field: Text | None = Field(
        default=None,
        description=f"Where in the body the secret of `payload` stands, by default `{DEFAULT_FIELD}`.",
        examples=["client.token"],
    )
    tolerance: Tolerance | None = Field(
        default=None, description="How old a signed request may be.", examples=["5m"]
    )

    @property
    def terms(self) -> Terms:
        """What it says beside its scheme."""
        return Terms(
            self.header,
            self.field or DEFAULT_FIELD,
            DEFAULT_TOLERANCE_MS if self.tolerance is None else self.tolerance,
        )

    @model_validator(mode="after")
    def _says_nothing_in_vain(self) -> Self:
        for name, schemes in (
            ("header", (Scheme.HMAC,)),
            ("field", (Scheme.PAYLOAD,)),
            ("tolerance", _TIMED),
        ):
            if getattr(self, name) is not None and self.scheme not in schemes:
                fitting = " or ".join(repr(scheme.value) for scheme in schemes)
                raise ValueError(
                    f"expected {name!r} beside the scheme {fitting} only, got it beside "
                    f"{self.scheme.value!r}"
                )
        return self


class HookDocument(Verified):
    """A URL to which others post, and the event that becomes of what they post."""

    kind: Literal["hook"] = "hook"
    name: Name
    title: str = Field(default="", max_length=200)
    description: str = Field(default="", max_length=10_000)
    enabled: bool = True
    type: Text | None = Field(
        default=None,
        description="The type of its events, or a template of it; by default the vendor's.",
        examples=["order.placed"],
    )
    source: Text | None = Field(
        default=None, description="By default `hooks/` and its name.", examples=["shop"]
    )
    subject: Text | None = Field(
        default=None,
        description="A template, of `body`, `headers` and `query`.",
        examples=["{{ body.customer.id }}"],
    )
    event_id: Text | None = Field(
        default=None,
        description="A template of what is the same when something is sent again; "
        "by default the vendor's delivery id.",
        examples=["{{ headers['x-delivery'] }}"],
    )


@dataclass(frozen=True, slots=True)
class ParsedHook:
    """
    A hook that can receive.

    `document` is what to store: as written, but for the secrets. `secrets` are those
    given; None, if none are.
    """

    definition: HookDocument
    document: Mapping[str, Json]
    secrets: tuple[str, ...] | None
    templates: Mapping[str, Template]


def parse_hook(document: Json, hints: Sequence[str] = ()) -> ParsedHook:
    """
    Return the hook that `document` spells; a secret that is one of `hints` stands for itself.

    Raises:
        InvalidInput: with all problems, none of which tells a secret.
    """
    if not isinstance(document, Mapping):
        raise InvalidInput([Problem("", "expected an object, got something else")])
    problems = secret_problems(document, hints)
    bare = {name: value for name, value in document.items() if name != "secret"}
    try:
        definition = HookDocument.model_validate(bare)
    except ValidationError as exc:
        names = [*HookDocument.model_fields]
        raise InvalidInput([*problems_of(exc, bare, names=names), *problems]) from exc
    templates: dict[str, Template] = {}
    for name in TEMPLATES:
        text = getattr(definition, name)
        if text is None:
            continue
        try:
            templates[name] = compile_template(text, roots=ROOTS, path=name)
        except InvalidInput as exc:
            problems += exc.problems
    problems += _unfit_type(definition)
    if problems:
        raise InvalidInput(problems)
    return ParsedHook(definition, bare, secrets_in(document), templates)


def secrets_in(document: Mapping[str, Json]) -> tuple[str, ...] | None:
    """Return the secrets that a document gives, None if it gives none; they are well-formed."""
    match document.get("secret"):
        case str(secret):
            return (secret,)
        case [*secrets]:
            return tuple(str(secret) for secret in secrets)
        case _:
            return None


def secret_problems(
    document: Mapping[str, Json], hints: Sequence[str] = (), path: str = "secret"
) -> list[Problem]:
    """Return what is wrong with the secrets of a document; none of them stands in the words."""
    given = document.get("secret")
    if given is None:
        return []
    if isinstance(given, str):
        message = _secret_problem(given, document, hints)
        return [Problem(path, message)] if message else []
    if not isinstance(given, list) or not 1 <= len(given) <= MAX_SECRETS:
        return [Problem(path, f"expected a secret, or a list of 1 to {MAX_SECRETS}")]
    return [
        Problem(f"{path}[{index}]", message)
        for index, secret in enumerate(given)
        if (message := _secret_problem(secret, document, hints))
    ]


def _secret_problem(secret: Json, document: Mapping[str, Json], hints: Sequence[str]) -> str | None:
    if not isinstance(secret, str):
        return "expected text, got something else"
    if secret in hints:
        return None
    if not 0 < len(secret) <= MAX_SECRET:
        return f"expected 1 to {MAX_SECRET} characters, got {len(secret)}"
    if secret.startswith(HINT_MASK):
        return "expected the secret, got what is shown in its place"
    if not _SECRET.fullmatch(secret) or secret != secret.strip():
        return "expected text without line breaks and outer spaces"
    if document.get("scheme") == Scheme.PATH and not _TOKEN.fullmatch(secret):
        return "expected 16 to 256 letters, digits, '_' and '-', as it stands in the path"
    return None


def _unfit_type(definition: HookDocument) -> list[Problem]:
    text = definition.type
    if text is None or "{{" in text or TYPE.fullmatch(text):
        return []
    expected = "expected a type such as 'order.placed' (letters, digits and ._:/-), or a template"
    return [Problem("type", f"{expected}, got {text!r}")]
