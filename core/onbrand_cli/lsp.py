"""``onbrand lsp``: the language server, which editors start."""

from __future__ import annotations

import importlib.util
import os
import signal
from typing import Annotated

import typer

from onbrand.errors import OnbrandError, missing_extra
from onbrand_cli.options import LogLevel


def lsp(
    stdio: Annotated[
        bool, typer.Option("--stdio", help="Talk over standard input and output. [default]")
    ] = False,
    tcp: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            metavar="PORT",
            help="Listen on this port for one client instead; 0: any free one.",
            show_default=False,
        ),
    ] = None,
    host: Annotated[str, typer.Option(help="Where to listen, with --tcp.")] = "127.0.0.1",
    log_level: Annotated[LogLevel, typer.Option(help="What to tell on stderr.")] = LogLevel.WARNING,
    client_pid: Annotated[
        int | None,
        typer.Option(
            "--client-pid",
            "--clientProcessId",  # the protocol's own name for it
            metavar="PID",
            help="End when this process does.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Serve an editor: off-brand sentences underlined as you type."""
    if stdio and tcp is not None:
        raise OnbrandError("--stdio and --tcp exclude each other; give one of them")
    if importlib.util.find_spec("pygls") is None:
        raise missing_extra("the language server", "lsp")
    # The products here are small: a second thread of the library would do nothing but spin.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from onbrand_lsp.wire.handshake import serve
    from onbrand_lsp.wire.log import start_logging
    from onbrand_lsp.wire.transport import standard_streams, tcp_client

    log = start_logging(log_level)
    connection = standard_streams() if tcp is None else tcp_client(host, tcp, _announce)
    # Nothing is half-done here, and a handler of Python's might wait for the client's next word.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    code = serve(connection, client_pid=client_pid)
    if log is not None:
        log.close(timeout=1)
    # Not sys.exit, which would wait for the batch that a worker is at, and for the reader.
    os._exit(code)


def _announce(host: str, port: int) -> None:
    typer.echo(f"onbrand-lsp: listening on {host}:{port}", err=True)
