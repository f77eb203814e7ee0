"""`oncue up`: from flags to a server that answers."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sqlite3
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import structlog
import uvicorn
import uvloop
from rich.console import Console

from oncue.app import run
from oncue.cli.data_folder import check_restored, locked
from oncue.cli.remote import CommandError, print_failure
from oncue.core.errors import InvalidInput, NewerFormat, Overloaded
from oncue.core.json_text import encode_json
from oncue.settings import DEFAULT_PORT, Environment, Settings, load_settings, unknown_settings
from oncue.store.disk import OF_THE_DISK, refused
from oncue.store.sqlite.file import as_ours
from oncue.system import fresh_key, settle_memory, write_private

if TYPE_CHECKING:
    from oncue.cli.demo import Demo

_log = logging.getLogger(__name__)
_out = Console(highlight=False)
_err = Console(stderr=True, highlight=False)

# How many ports above the default are tried before giving up.
PORTS_TO_TRY = 100
GRACE_S = 5
"""How long requests under way may take to end when OnCue stops."""
# A thread that comes back from an fsync waits so long for a busy loop to let go
# of the interpreter; the default of 5 ms is many times the fsync.
_SWITCH_INTERVAL_S = 0.0005


def start(flags: Mapping[str, object], *, demo: bool, is_strict: bool) -> int:
    """Return the exit code once the server has ended."""
    try:
        settings = _settings(flags, demo=demo, is_strict=is_strict)
        with locked(settings.data), contextlib.closing(_listen(settings, flags)) as listener:
            check_restored(settings.data)
            sys.setswitchinterval(_SWITCH_INTERVAL_S)
            uvloop.run(_serve(settings, listener, demo=demo))
    except (CommandError, NewerFormat, Overloaded) as exc:
        print_failure("oncue up", str(exc))
        return 1
    except OSError as exc:
        if exc.errno not in OF_THE_DISK:
            raise
        print_failure("oncue up", f"{exc.filename}: {refused(exc)}")
        return 1
    except sqlite3.OperationalError as exc:
        print_failure("oncue up", str(as_ours(exc)))
        return 1
    return 0


def _settings(flags: Mapping[str, object], *, demo: bool, is_strict: bool) -> Settings:
    try:
        settings = load_settings(flags)
    except InvalidInput as exc:
        raise CommandError("; ".join(f"{p.path}: {p.message}" for p in exc.problems)) from exc
    unknown = unknown_settings(os.environ, settings.data)
    if unknown and is_strict:
        raise CommandError("; ".join(unknown))
    _set_up_logging(settings.environment)
    for warning in unknown:
        if settings.environment is Environment.PRODUCTION:
            _log.warning("%s", warning)
        else:
            _err.print(f"[yellow]warning:[/yellow] {warning}", soft_wrap=True)
    if demo and settings.environment is Environment.PRODUCTION:
        raise CommandError("expected no --demo with ENVIRONMENT=production")
    return settings


def _listen(settings: Settings, flags: Mapping[str, object]) -> socket.socket:
    is_default = flags.get("port") is None and settings.port == DEFAULT_PORT
    ports = range(DEFAULT_PORT, DEFAULT_PORT + PORTS_TO_TRY) if is_default else (settings.port,)
    for port in ports:
        with contextlib.suppress(OSError):
            listener = socket.create_server((settings.host, port), backlog=2048)
            if is_default and port != DEFAULT_PORT:
                _out.print(f"port {DEFAULT_PORT} is taken, using {port}")
            return listener
    raise CommandError(f"cannot listen on {settings.host}:{settings.port}: the port is taken")


async def _serve(settings: Settings, listener: socket.socket, *, demo: bool) -> None:
    api_key = _api_key(settings)
    host, port = listener.getsockname()[:2]
    url = f"http://{host}:{port}"
    settings = settings.model_copy(update={"public_url": settings.public_url or url})
    async with contextlib.AsyncExitStack() as stack:
        vendors = await _demo_vendors(settings, stack) if demo else None
        lent = vendors.lent if vendors else None
        installation = await stack.enter_async_context(run(settings, api_key, lent))
        config = uvicorn.Config(
            installation.app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            proxy_headers=False,
            # Readers of a live stream would wait for ever.
            timeout_graceful_shutdown=GRACE_S,
        )
        server = _Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        write_private(settings.data / "server.json", encode_json({"url": url, "pid": os.getpid()}))
        if settings.environment is Environment.PRODUCTION:
            _tell_log(settings, url)
        else:
            _out.print(
                f"[bold]OnCue[/bold] listens on {url}, data in {settings.data}", soft_wrap=True
            )
            _out.print(f"API key: {api_key}", soft_wrap=True)
            shown_key = api_key
            if vendors:
                shown_key = await vendors.start(url, api_key, stack)
                for line in vendors.description:
                    _out.print(line, soft_wrap=True)
                _out.print(f"demo: an account of its own, API key: {shown_key}", soft_wrap=True)
            _out.print(f"look at it: {url}/#key={shown_key}", soft_wrap=True)
        settle_memory()
        await serving
    (settings.data / "server.json").unlink(missing_ok=True)


def _tell_log(settings: Settings, url: str) -> None:
    # What is printed is kept by whoever collects logs: no key is among it.
    if settings.public_url == url:
        _log.warning("links to callbacks and hooks begin with %s: set ONCUE_PUBLIC_URL", url)
    _log.info("OnCue listens on %s, data and admin-key in %s", url, settings.data)


async def _demo_vendors(settings: Settings, stack: contextlib.AsyncExitStack) -> "Demo":
    # Whoever runs without the demo does not wait for its modules.
    from oncue.cli.demo import demo_vendors

    return await stack.enter_async_context(demo_vendors(settings))


class _Server(uvicorn.Server):
    """uvicorn, but a signal that it has obeyed is not raised again: we have our own end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, self.handle_exit, name, None)
        yield


def _api_key(settings: Settings) -> str:
    path = settings.data / "admin-key"
    if settings.api_key:
        key = settings.api_key
    elif path.exists():
        return path.read_text().strip()
    else:
        key = fresh_key()
    write_private(path, key.encode())
    return key


def _set_up_logging(environment: Environment) -> None:
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if environment is Environment.PRODUCTION
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    before: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso"),
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=before,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            renderer,
        ],
    )
    stream = logging.StreamHandler()
    stream.setFormatter(formatter)
    logging.basicConfig(level=logging.INFO, handlers=[stream], force=True)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
