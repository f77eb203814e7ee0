"""The commands."""

import sys
from collections.abc import Sequence
from pathlib import Path

import cyclopts

from oncue import __version__

app = cyclopts.App(
    name="oncue",
    help="Events come in, patterns watch them, matches start workflows.",
    version=__version__,
)


@app.command
def up(
    *,
    host: str | None = None,
    port: int | None = None,
    data: Path | None = None,
    demo: bool = False,
    strict: bool = False,
) -> int:
    """
    Start everything: API, matcher, executor and timers, on embedded storage.

    Parameters
    ----------
    host
        Address to listen on (default 127.0.0.1).
    port
        Port to listen on (default 8787, or the next free one).
    data
        Folder for all that is kept (default the platform's user data folder).
    demo
        Add example automations, simulated vendors and a source of events.
    strict
        Do not start with a setting that means nothing.
    """
    # Imported late: `oncue --help` should not wait for the server's modules.
    from oncue.cli.up import start

    return start({"host": host, "port": port, "data": data}, demo=demo, is_strict=strict)


# By name, so that a command loads only what it needs.
app.command("oncue.cli.operate:send", name="send", help="Send an event.")
app.command("oncue.cli.events:events", name="events", help="Follow events, and what is in them.")
app.command("oncue.cli.query:query", name="query", help="Ask the stored events, by SQL.")
app.command("oncue.cli.administer:keys", name="keys", help="Make, list and revoke API keys.")
app.command(
    "oncue.cli.administer:accounts", name="accounts", help="Open accounts, and look at them."
)
app.command(
    "oncue.cli.connections:connections",
    name="connections",
    help="Credentials for vendors: keep, test and forget them.",
)
app.command(
    "oncue.cli.actions:actions", name="actions", help="Look at what steps can call, and add to it."
)
app.command(
    "oncue.cli.hooks:hooks",
    name="hooks",
    help="URLs to which others post, and what lets them in.",
)
app.command("oncue.cli.schedules:schedules", name="schedules", help="Emit events at certain times.")
app.command(
    "oncue.cli.named_values:secrets",
    name="secrets",
    help="Values that only calls see: keep and forget them.",
)
app.command(
    "oncue.cli.named_values:variables",
    name="variables",
    help="Values that workflows read as vars.NAME.",
)
app.command(
    "oncue.cli.operate:executions", name="executions", help="Look at executions, and end them."
)
app.command(
    "oncue.cli.dead_letters:dead_letters", name="dead-letters", help="Look at what was given up."
)
app.command(
    "oncue.cli.definitions:validate", name="validate", help="Say what is wrong with documents."
)
app.command("oncue.cli.definitions:apply", name="apply", help="Save documents.")
app.command(
    "oncue.cli.definitions:diff", name="diff", help="Show what saving documents would change."
)
app.command(
    "oncue.cli.backtest:backtest", name="backtest", help="Show what a pattern would have matched."
)
app.command("oncue.cli.automation:run_tests", name="test", help="Test automations in no time.")
app.command(
    "oncue.cli.simulate:simulate", name="simulate", help="Run vendors that are none, to try with."
)
app.command(
    "oncue.cli.backup:backup", name="backup", help="Write all data to one file, while OnCue runs."
)
app.command("oncue.cli.backup:restore", name="restore", help="Make a data folder from a backup.")
app.command("oncue.cli.doctor:doctor", name="doctor", help="Look for what is wrong here.")
app.command(
    "oncue.cli.explain:explain_expression",
    name="explain-expression",
    help="Show what an expression means.",
)
app.command("oncue.cli.definitions:export", name="export", help="Print all definitions as YAML.")


def main(words: Sequence[str] | None = None) -> None:
    """Run the command that `words` name, by default those of the command line."""
    from oncue.cli.remote import CommandError, print_failure
    from oncue.core.errors import InvalidInput, NewerFormat

    try:
        code = app(sys.argv[1:] if words is None else words)
    except (CommandError, NewerFormat) as exc:
        print_failure("oncue", str(exc))
        raise SystemExit(1) from exc
    except InvalidInput as exc:
        for problem in exc.problems:
            print_failure("oncue", f"{problem.path}: {problem.message}")
        raise SystemExit(1) from exc
    raise SystemExit(code)


if __name__ == "__main__":
    main()
