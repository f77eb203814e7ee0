"""The commands."""

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
    """
    # Imported late: `oncue --help` should not wait for the server's modules.
    from oncue.cli.up import start

    return start({"host": host, "port": port, "data": data}, demo=demo)


def main() -> None:
    """Run the command that the command line names."""
    raise SystemExit(app())


if __name__ == "__main__":
    main()
