"""``onbrand lsp`` and ``onbrand slack``: the language server and the Slack app."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onbrand.errors import OnbrandError, missing_extra
from onbrand_cli.common import LogLevel

if TYPE_CHECKING:
    from onbrand_slack.store import Store


VOICES_VARIABLE = "ONBRAND_SLACK_VOICES"
AVOID_VARIABLE = "ONBRAND_SLACK_AVOID"
DATABASE_VARIABLE = "ONBRAND_SLACK_DATABASE"

app = typer.Typer(
    help="Serve the Slack app, or see to what it keeps.",
    epilog=(
        "Tokens and secrets are read from the environment: SLACK_BOT_TOKEN, SLACK_APP_TOKEN, "
        "SLACK_SIGNING_SECRET, SLACK_CLIENT_ID, SLACK_CLIENT_SECRET. See docs/slack.md."
    ),
    invoke_without_command=True,
)


Database = Annotated[
    str | None,
    typer.Option(
        "--database",
        envvar=DATABASE_VARIABLE,
        metavar="PATH|URL",
        help="An SQLite file, or postgresql://…; by default slack.db in your data folder.",
        show_default=False,
    ),
]


@app.callback()
def slack(
    context: typer.Context,
    *,
    socket_mode: Annotated[
        bool, typer.Option("--socket-mode", help="Connect to Slack; needs no public address.")
    ] = False,
    http: Annotated[
        bool, typer.Option("--http", help="Be called by Slack, behind a reverse proxy.")
    ] = False,
    voices: Annotated[
        Path | None,
        typer.Option(
            envvar=VOICES_VARIABLE,
            help="Folder of voices; with OAuth one folder a workspace in it, named by its id. "
            "Else: ./voices.",
            show_default=False,
        ),
    ] = None,
    avoid: Annotated[
        str | None,
        typer.Option(
            envvar=AVOID_VARIABLE,
            metavar="NAMES",
            help="What drafts must not read like where nothing names a brand, say corporate,hype; "
            "needs no voices.",
            show_default=False,
        ),
    ] = None,
    database: Database = None,
    url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Public https address, for OAuth.", show_default=False),
    ] = None,
    host: Annotated[str, typer.Option(help="Where to listen, with --http.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Its port; 0: any free one.")] = 3000,
    admin_host: Annotated[str, typer.Option(help="Where health and metrics are.")] = "127.0.0.1",
    admin_port: Annotated[
        int, typer.Option(min=-1, max=65535, help="Their port; 0: any free one, -1: none.")
    ] = 3001,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1, max=64, help="Scoring threads; by default the cores.", show_default=False
        ),
    ] = None,
    queue_limit: Annotated[int, typer.Option(min=1, help="Drafts that may wait.")] = 1000,
    log_level: Annotated[LogLevel, typer.Option(help="What to tell on stderr.")] = LogLevel.INFO,
) -> None:
    """Serve the Slack app, or see to what it keeps."""
    if importlib.util.find_spec("slack_bolt") is None:
        raise missing_extra("the Slack app", "slack")
    if context.invoked_subcommand is not None:
        return
    if socket_mode == http:
        raise OnbrandError("say --socket-mode (one workspace, no public address) or --http")
    from onbrand.voice.avoid import split_names
    from onbrand_slack.config import Config
    from onbrand_slack.log import start_logging
    from onbrand_slack.run import run

    start_logging(log_level)
    run(
        Config.load(
            "socket" if socket_mode else "http",
            voices=voices,
            database=database or default_database(),
            avoid=None if avoid is None else split_names(avoid),
            public_url=url,
            host=host,
            port=port,
            admin_host=admin_host,
            admin_port=admin_port,
            workers=workers or os.cpu_count(),
            queue_limit=queue_limit,
        )
    )


@app.command()
def manifest(
    url: Annotated[
        str | None,
        typer.Option(help="Public https address, for --http.", metavar="URL", show_default=False),
    ] = None,
    socket_mode: Annotated[bool, typer.Option("--socket-mode", help="For Socket Mode.")] = False,
) -> None:
    """Print the app's manifest, to create the app from at api.slack.com/apps."""
    from onbrand_slack.manifest import text

    if socket_mode == (url is not None):
        raise OnbrandError("say --socket-mode, or --url https://… where Slack will reach the app")
    typer.echo(text(url=url, socket_mode=socket_mode), nl=False)


@app.command()
def audit(
    workspace: Annotated[str, typer.Argument(help="The workspace's id, T….")],
    database: Database = None,
) -> None:
    """Print who checked, decided, labelled and changed what, as JSON lines; no text."""
    from onbrand_slack.model import Tenant

    with _store(database) as store:
        for entry in store.privacy.audit(Tenant(workspace)):
            typer.echo(json.dumps(entry, ensure_ascii=False, default=str))


@app.command()
def forget(
    workspace: Annotated[str, typer.Argument(help="The workspace's id, T….")],
    user: Annotated[
        str | None, typer.Option(help="Only this user's data, U….", show_default=False)
    ] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; there is no way back.")] = False,
    database: Database = None,
) -> None:
    """Delete all that is stored of a workspace, or of one of its users."""
    from onbrand_slack.model import Tenant

    whose = f"user {user} of {workspace}" if user else f"workspace {workspace}"
    if not yes:
        raise OnbrandError(f"this deletes all data of {whose} for good; say --yes")
    with _store(database) as store:
        tenant = Tenant(workspace)
        if user:
            store.privacy.forget_user(tenant, user)
        else:
            store.privacy.forget_workspace(tenant)
    typer.echo(f"deleted the data of {whose}")


def default_database() -> str:
    """Return the default database of the app."""
    from platformdirs import user_data_path

    return str(user_data_path("onbrand", appauthor=False) / "slack.db")


def _store(database: str | None) -> Store:
    from onbrand_slack.store import Store

    return Store.open(database or default_database())


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
    if importlib.util.find_spec("lsprotocol") is None:
        raise missing_extra("the language server", "lsp")
    # Matrix products here are small: more threads of the library would only spin.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from onbrand_lsp.rpc.startup import serve
    from onbrand_lsp.rpc.stdio import standard_streams, start_logging, tcp_client

    log = start_logging(log_level)
    connection = standard_streams() if tcp is None else tcp_client(host, tcp, _announce)
    # The server writes nothing by halves; a Python handler might wait for the next message.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    code = serve(connection, client_pid=client_pid)
    if log is not None:
        log.close(timeout=1)
    # Not sys.exit, which would wait for the worker's batch and for the reader thread.
    os._exit(code)


def _announce(host: str, port: int) -> None:
    typer.echo(f"onbrand-lsp: listening on {host}:{port}", err=True)
