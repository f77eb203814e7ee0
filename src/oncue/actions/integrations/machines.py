"""Databases, models, and whoever takes our webhooks."""

from collections.abc import Mapping
from typing import Final

from oncue.actions.integrations.asking import HTTP_URL, ask, bearer, endpoint_of
from oncue.actions.r2 import sign
from oncue.core.action import HttpRequest
from oncue.core.errors import PermanentError
from oncue.core.http_answer import judge
from oncue.core.integration import Credential, Integration, Reach
from oncue.core.statements import Statement

_PATIENCE_MS: Final = 10_000


async def _ask_database(values: Mapping[str, str], reach: Reach) -> str:
    await reach.query(values["url"], Statement("SELECT 1", timeout_ms=_PATIENCE_MS))
    return "the database answers"


DATABASE = Integration(
    name="database",
    title="PostgreSQL",
    credentials=(
        Credential(
            "url",
            "Where it is, and who we are there.",
            pattern=r"postgres(ql)?://.+",
            example="postgresql://user:password@db.example.com/shop",
        ),
    ),
    enough=(("url",),),
    probe=_ask_database,
    has_own=True,
)


async def _ask_objects(values: Mapping[str, str], reach: Reach) -> str:
    if "bucket" not in values:
        raise PermanentError("it names no bucket, and without one there is nothing to ask for")
    url = f"{values['endpoint'].rstrip('/')}/{values['bucket']}"
    headers = sign("HEAD", url, b"", values, reach.now_ms())
    answer = await reach.send(HttpRequest("HEAD", url, headers, timeout_ms=_PATIENCE_MS))
    judge(answer, "the object store", says="the bucket is not there, or not ours")
    return "the bucket is there"


OBJECTS = Integration(
    name="r2",
    title="Objects (S3, R2)",
    credentials=(
        Credential(
            "endpoint",
            "Where the object store is.",
            is_secret=False,
            pattern=HTTP_URL,
            example="https://s3.eu-central-1.amazonaws.com",
        ),
        Credential("access_key", "Key of the object store.", example="AKIAIOSFODNN7EXAMPLE"),
        Credential("secret_key", "The secret of that key."),
        Credential("bucket", "The bucket by default.", is_secret=False, pattern=r"[a-z0-9.-]+"),
        Credential("region", "Its region.", is_secret=False, default="auto"),
    ),
    enough=(("endpoint", "access_key", "secret_key"),),
    probe=_ask_objects,
    has_own=True,
)
WEBHOOK = Integration(
    name="webhook",
    title="Webhooks",
    credentials=(
        Credential(
            "secret",
            "Signs what is sent (Standard Webhooks).",
            example="whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        ),
    ),
    enough=(("secret",),),
    has_own=True,
)


async def _ask_model(values: Mapping[str, str], reach: Reach) -> str:
    headers = bearer(values["api_key"]) if "api_key" in values else {}
    found = await ask(reach, "the model's endpoint", f"{endpoint_of(values)}/v1/models", headers)
    models = found.get("data")
    return f"the endpoint has {len(models) if isinstance(models, list) else 0} models"


AI = Integration(
    name="ai",
    title="Models",
    credentials=(
        Credential(
            "base_url",
            "An endpoint that speaks OpenAI's chat completions, without /v1.",
            is_secret=False,
            pattern=HTTP_URL,
            example="https://api.openai.com",
        ),
        Credential("api_key", "Its key, if it wants one.", example="sk-123456789"),
        Credential("model", "The model to ask by default.", is_secret=False),
    ),
    enough=(("base_url",),),
    probe=_ask_model,
)
