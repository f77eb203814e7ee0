"""Write the parts of docs/ that the code knows best; with `--check`, only say which are stale."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from oncue.actions import ACTIONS
from oncue.actions.apprise_vendors import VENDORS
from oncue.actions.apprise_wire import MAX_REQUESTS
from oncue.actions.integrations import INTEGRATIONS
from oncue.core.action import AnyAction, Idempotency
from oncue.core.expression.function import Function, Style
from oncue.core.expression.library import AREAS
from oncue.core.expression.macros import MACROS
from oncue.settings import Settings

DOCS = Path(__file__).parents[1] / "docs"


def settings_page() -> str:
    """Return docs/reference/settings.md."""
    return "\n".join(_settings_lines())


def _settings_lines() -> Iterator[str]:
    yield "# Settings"
    yield ""
    yield "A flag of `oncue up` comes first, then the environment, then `<data>/config.toml`, which"
    yield "takes the same names (but `ONCUE_DATA`, the folder that it lies in):"
    yield ""
    yield "```toml"
    yield "ONCUE_PORT = 9000"
    yield 'ONCUE_DEDUPE_WINDOW = "2d"'
    yield 'ONCUE_ALLOW_NETWORKS = ["10.1.0.0/16"]'
    yield "```"
    yield ""
    yield "An unknown `ONCUE_*` variable, or an unknown name in the file, is a warning that names the"
    yield "nearest; with `oncue up --strict` and in `oncue doctor` it is an error. What Kubernetes sets"
    yield "for a service called `oncue` (`ONCUE_SERVICE_*`, `ONCUE_PORT_*`, `tcp://…`) is passed over."
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
    yield "What a step of type `action` can call. Every field takes templates. Each has an example with a"
    yield "test under `examples/actions`, which `oncue test examples/actions` runs. Others add more:"
    yield "[write an action package](../how-to/write-an-action-package.md)."
    yield ""
    yield "**When nobody knows** whether an attempt arrived (the answer was lost, OnCue died), what follows"
    yield "depends on the idempotency class, unless the step's `in_doubt` says other:"
    yield ""
    yield "| class | what keeps a repeat from acting twice |"
    yield "|---|---|"
    for idempotency, meaning in MEANINGS.items():
        yield f"| `{idempotency}` | {meaning} |"
    for action in ACTIONS:
        yield from _action_lines(action)
    yield ""


MEANINGS = {
    Idempotency.NATIVE_KEY: "the other side takes a key, and answers a repeat as the first time",
    Idempotency.CLIENT_ID: "OnCue chooses the id of what is made; a second one with it is refused",
    Idempotency.UPSERT: "it is set, not added: twice is once",
    Idempotency.PROBE: "the other side can be asked, or refuses a second one",
    Idempotency.NONE: "nothing; it is repeated only where that does no harm",
}


def _action_lines(action: AnyAction) -> Iterator[str]:
    yield ""
    yield f"## `{action.name}`"
    yield ""
    yield f"{action.summary} Integration: {action.integration}."
    yield f"Idempotency: `{action.idempotency}`, {_repeats(action)}."
    if action.needs:
        yield f"Needs a connection{f', or {action.remedy}' if action.remedy else ''}."
    yield ""
    yield "```yaml"
    yield f"action: {action.name}"
    yield f"with: {json.dumps(action.example, ensure_ascii=False)}"
    yield "```"
    yield ""
    if action.input.model_fields:
        yield "| field | needed | meaning |"
        yield "|---|---|---|"
        for name, field in action.input.model_fields.items():
            needed = "yes" if field.is_required() else ""
            yield f"| `{field.alias or name}` | {needed} | {field.description or ''} |"
        yield ""
    outputs = ", ".join(f"`{name}`" for name in action.output.model_fields)
    yield f"Gives: {outputs or 'what it made'}."


def _repeats(action: AnyAction) -> str:
    if action.is_safe_with:
        return "repeated in doubt only where the input lets it be found again"
    return f"in doubt {'repeated' if action.may_repeat({}) else 'not repeated, the step fails'}"


def functions_page() -> str:
    """Return docs/reference/functions.md."""
    return "\n".join(_functions_lines())


def _functions_lines() -> Iterator[str]:
    yield "# Functions and operators of expressions"
    yield ""
    yield "The checker reads the same table, and the tests evaluate every example: each is true."
    for title, functions in AREAS.items():
        yield ""
        yield f"## {title}"
        yield ""
        yield "| written | gives | example |"
        yield "|---|---|---|"
        for function in functions:
            yield _row(_signature(function), function.summary, function.example.text)
    yield ""
    yield "## Macros"
    yield ""
    yield "These do not evaluate their arguments as such: `x` below is a name that they introduce."
    yield ""
    yield "| written | gives | example |"
    yield "|---|---|---|"
    for macro in MACROS.values():
        yield _row(macro.name, macro.summary, macro.example)
    yield ""


def _signature(function: Function) -> str:
    if function.style is Style.OPERATOR:
        return function.name.strip("@").replace("_", " ").strip()
    shown: dict[str, None] = {}
    for overload in function.overloads:
        takes = [str(kind) for kind in overload.takes]
        more = ", …" if overload.is_variadic else ""
        if function.style is not Style.GLOBAL:
            shown[f"{takes[0]}.{function.name}({', '.join(takes[1:])}{more})"] = None
        else:
            shown[f"{function.name}({', '.join(takes)}{more})"] = None
    return "\n".join(shown)


def _row(written: str, gives: str, example: str) -> str:
    lines = "<br>".join(f"`{line}`" for line in written.splitlines())
    cells = [cell.replace("|", "\\|") for cell in (lines, gives, f"`{example}`")]
    return f"| {' | '.join(cells)} |"


def integrations_page() -> str:
    """Return docs/reference/integrations.md."""
    return "\n".join(_integrations_lines())


def _integrations_lines() -> Iterator[str]:
    yield "# Integrations"
    yield ""
    yield "What a [connection](connections.md) takes as `values`, for each integration; secrets never come"
    yield "out again. `GET /connections/schemas` tells the same to machines."
    for one in INTEGRATIONS:
        yield ""
        yield f"## `{one.name}`: {one.title}"
        yield ""
        enough = " or ".join(" with ".join(f"`{name}`" for name in group) for group in one.enough)
        test = "asks the vendor" if one.probe else "has nobody to ask"
        yield f"Needs {enough}. A test {test}."
        yield ""
        yield "| value | secret | meaning | example |"
        yield "|---|---|---|---|"
        for value in one.credentials:
            secret = "yes" if value.is_secret else ""
            example = f"`{value.example}`" if value.example else ""
            yield f"| `{value.name}` | {secret} | {value.description} | {example} |"
    yield ""


def notifications_page() -> str:
    """Return docs/reference/notifications.md."""
    return "\n".join(_notifications_lines())


def _notifications_lines() -> Iterator[str]:
    yield NOTIFICATIONS
    yield "| vendor | schemes | a URL |"
    yield "|---|---|---|"
    for vendor in VENDORS:
        schemes = ", ".join(f"`{scheme}`" for scheme in vendor.schemes)
        yield f"| {vendor.name} | {schemes} | `{vendor.form}` |"
    yield ""


NOTIFICATIONS = f"""\
# Notifications

`send_notification` reaches {len(VENDORS)} services through [Apprise](https://appriseit.com): chats,
phones, pagers, text messages. It is an extra: `pip install 'oncue[notify]'`; without it, workflows
that use the action are saved with a warning, and their calls fail saying so.

Where to is a URL, which Apprise defines for each vendor and which holds its keys. A connection keeps
it; a step with several targets names several connections, or one URL with several targets.

```console
$ oncue connections set oncall --integration apprise
url (Where to, as Apprise writes it): tgram://123456789:AbC…/-1001234
$ oncue connections test oncall
✓ it is a URL of Telegram; nothing was sent (3 ms)
```

```yaml
- id: tell
  type: action
  action: send_notification
  connection: oncall
  with: {{title: Checkout, body: "**down** since {{{{ string(event.time) }}}}", type: failure, format: markdown}}
```

`format` is what the body is written in; Apprise converts it to what the vendor takes. `type`
(`info success warning failure`) chooses colours and signs where the vendor has them.

**What goes out** goes through OnCue's own client: private addresses are refused unless
`ONCUE_ALLOW_NETWORKS` opens them, on each redirect, too; times and sizes are bounded; certificates
are always checked, whatever `?verify=` says. Only the services below are there, each of which sends
over plain HTTP and touches nothing else. There are no attachments, no files, no templates from files.
One message makes at most {MAX_REQUESTS} requests. For mail there is `send_email`, for any other URL
`http_request`.

**When it fails**: 408, 409, 425, 429 and 5xx are tried again, other refusals are final. Services take no
idempotency key: an attempt whose outcome nobody knows is not repeated unless the step says
`in_doubt: retry`; nor is one of which some targets have the message already.

No part of the URL stands in errors, logs, or what a dry run shows.
"""


PAGES: dict[str, Any] = {
    "reference/functions.md": functions_page,
    "reference/settings.md": settings_page,
    "reference/actions.md": actions_page,
    "reference/integrations.md": integrations_page,
    "reference/notifications.md": notifications_page,
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
