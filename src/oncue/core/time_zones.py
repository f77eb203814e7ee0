"""Time zones by their IANA names."""

from functools import lru_cache
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from pydantic import AfterValidator

from oncue.core.problems import nearest


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as exc:
        known = nearest(name, _names()) if len(name) <= _MAX_NAME else ""
        raise ValueError(
            f"expected a time zone such as 'Europe/Berlin', got {name[:_MAX_NAME]!r}{known}"
        ) from exc
    return name


_MAX_NAME = 64


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(available_timezones())


Zone = Annotated[str, AfterValidator(_zone)]
