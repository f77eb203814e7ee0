"""Patterns to begin with, as users would write them."""

from collections.abc import Mapping, Sequence
from typing import Final

from oncue.core.json_text import Json
from oncue.core.pattern.templates.anomalies import OVER_VALUES
from oncue.core.pattern.templates.events import OVER_EVENTS
from oncue.core.pattern.templates.sequences import OVER_STEPS
from oncue.core.pattern.templates.statements import OVER_ROWS
from oncue.core.pattern.templates.thresholds import OVER_WINDOWS

TEMPLATES: Final[Sequence[Mapping[str, Json]]] = (
    *OVER_EVENTS,
    *OVER_WINDOWS,
    *OVER_STEPS,
    *OVER_VALUES,
    *OVER_ROWS,
)
