"""
What the engine needs of the world, as Protocols, and the values that cross them.

`account` is the first argument of everything that belongs to one.
"""

from oncue.ports.catalog import (
    Account,
    Accounts,
    Answers,
    ApiKey,
    Catalog,
    KeptAnswer,
    Patterns,
    PatternVersion,
    Quotas,
    WorkflowVersion,
)
from oncue.ports.checkpoints import Checkpoints
from oncue.ports.connections import (
    Connection,
    Connections,
    CredentialSource,
    LockedError,
    Tested,
    Vault,
)
from oncue.ports.hooks import Hook, Hooks
from oncue.ports.journal import (
    ExecutionFilter,
    ExecutionReport,
    ExecutionSummary,
    FailureRow,
    Followed,
    History,
    Journal,
    MatchedRun,
    MatchRow,
    NewExecution,
    OnceKey,
    Replay,
    StoredExecution,
    Timer,
    Trigger,
    Turn,
)
from oncue.ports.letters import DeadLetter, LetterFilter, LetterGroup, Letters
from oncue.ports.log import EventLog, EventUsage, Mark, Past, Receipt, Span, Stretch
from oncue.ports.world import Actions, Clock, Disk, Files, KeyValues, Rehearsal

__all__ = [
    "Account",
    "Accounts",
    "Actions",
    "Answers",
    "ApiKey",
    "Catalog",
    "Checkpoints",
    "Clock",
    "Connection",
    "Connections",
    "CredentialSource",
    "DeadLetter",
    "Disk",
    "EventLog",
    "EventUsage",
    "ExecutionFilter",
    "ExecutionReport",
    "ExecutionSummary",
    "FailureRow",
    "Files",
    "Followed",
    "History",
    "Hook",
    "Hooks",
    "Journal",
    "KeptAnswer",
    "KeyValues",
    "LetterFilter",
    "LetterGroup",
    "Letters",
    "LockedError",
    "Mark",
    "MatchRow",
    "MatchedRun",
    "NewExecution",
    "OnceKey",
    "Past",
    "PatternVersion",
    "Patterns",
    "Quotas",
    "Receipt",
    "Rehearsal",
    "Replay",
    "Span",
    "StoredExecution",
    "Stretch",
    "Tested",
    "Timer",
    "Trigger",
    "Turn",
    "Vault",
    "WorkflowVersion",
]
