"""
What packages of actions are written with; see docs/how-to/write-an-action-package.md.

These names stay. Whatever else `oncue` holds may move without a word.
"""

from oncue.core.action import Action, Call, HttpAnswer, HttpRequest, Idempotency, Need
from oncue.core.errors import ActionError, OutcomeUnknown, PermanentError, RetryableError
from oncue.core.http_answer import failure, judge, read_object, retry_after_ms
from oncue.core.integration import Credential, Integration, Reach
from oncue.core.json_text import Json, encode_json, parse_json

__all__ = [
    "Action",
    "ActionError",
    "Call",
    "Credential",
    "HttpAnswer",
    "HttpRequest",
    "Idempotency",
    "Integration",
    "Json",
    "Need",
    "OutcomeUnknown",
    "PermanentError",
    "Reach",
    "RetryableError",
    "encode_json",
    "failure",
    "judge",
    "parse_json",
    "read_object",
    "retry_after_ms",
]
