"""Write the parts of docs/ that the code knows best; with `--check`, only say which are stale."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from oncue.actions import ACTIONS
from oncue.settings import Settings

DOCS = Path(__file__).parents[1] / "docs"


def settings_page() -> str:
    """Return docs/reference/settings.md."""
    return "\n".join(_settings_lines())


def _settings_lines() -> Iterator[str]:
    yield "# Settings"
    yield ""
    yield "A flag of `oncue up` comes first, then the environment, then `<data>/config.toml`, which"
    yield "takes the same names. An unknown `ONCUE_*` variable is a warning that names the nearest."
    yield ""
    yield "| name | default | meaning |"
    yield "|---|---|---|"
    for field in Settings.model_fields.values():
        default = "" if field.default in ("", ()) else f"`{field.default}`"
        if field.default_factory:
            default = "the platform's folder for user data"
        yield f"| `{field.alias}` | {default} | {field.description} |"
    yield ""


def actions_page() -> str:
    """Return docs/reference/actions.md."""
    return "\n".join(_actions_lines())


def _actions_lines() -> Iterator[str]:
    yield "# Actions"
    yield ""
    yield "What a step of type `action` can call. Every field takes templates."
    for action in ACTIONS:
        yield ""
        yield f"## `{action.name}`"
        yield ""
        yield f"{action.summary} Integration: {action.integration}. "
        yield f"Idempotency: `{action.idempotency}`."
        yield ""
        yield "| field | needed | meaning |"
        yield "|---|---|---|"
        for name, field in action.input.model_fields.items():
            needed = "yes" if field.is_required() else ""
            yield f"| `{field.alias or name}` | {needed} | {field.description or ''} |"
        yield ""
        yield "Gives: " + ", ".join(f"`{name}`" for name in action.output.model_fields) + "."
    yield ""


PAGES: dict[str, Any] = {
    "reference/settings.md": settings_page,
    "reference/actions.md": actions_page,
}


def main() -> int:
    """Return 1 if `--check` found a stale page."""
    stale = [
        name
        for name, page in PAGES.items()
        if not (DOCS / name).exists() or (DOCS / name).read_text(encoding="utf-8") != page()
    ]
    if "--check" in sys.argv:
        for name in stale:
            sys.stderr.write(f"docs/{name} is stale: run make docs\n")
        return 1 if stale else 0
    for name in stale:
        (DOCS / name).write_text(PAGES[name](), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
