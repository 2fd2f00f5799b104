"""``onbrand lsp`` as editors start it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cli_runner import OATFOLK_DRAFT, OFF_BRAND, error_of, run
from lsp_client import ONBRAND_LSP, RawClient, frame, raw_client

from onbrand.errors import install_command

HEAVY = ["asyncio", "attrs", "cattrs", "lsprotocol", "msgspec", "numpy", "onnxruntime"]
"""What nobody waits for before `initialize` is answered."""


@pytest.fixture
def project(tmp_path: Path, example_voices: Path) -> Path:
    shutil.copytree(example_voices / "oatfolk", tmp_path / "voices" / "oatfolk")
    (tmp_path / "onbrand.toml").write_text('brand = "oatfolk"\nvoices = ["voices"]\n')
    return tmp_path


def pull(client: RawClient, uri: str) -> Any:
    return client.call("textDocument/diagnostic", {"textDocument": {"uri": uri}})["items"]


# A whole session.


@pytest.mark.parametrize("tcp", [False, True], ids=["stdio", "tcp"])
def test_a_session(project: Path, tcp: bool) -> None:
    draft = (project / "draft.md").as_uri()
    with raw_client(tcp=tcp) as client:
        offers = client.initialize(
            processId=os.getpid(),
            capabilities={"textDocument": {"diagnostic": {}}},
            workspaceFolders=[{"uri": project.as_uri(), "name": "project"}],
        )
        assert offers["capabilities"]["diagnosticProvider"]["identifier"] == "onbrand"
        client.open(draft, f"A line.\n\n{OFF_BRAND}\n")
        (found,) = pull(client, draft)
        assert found["range"]["start"] == {"line": 2, "character": 0}
        end = {"line": 3, "character": 0}
        client.change(draft, {"range": {"start": found["range"]["start"], "end": end}, "text": ""})
        assert pull(client, draft) == []
        assert client.end() == 0
        assert client.log() == []


def test_a_port_of_ones_own_is_for_one_client_only(project: Path) -> None:
    with raw_client(tcp=True) as client:
        client.initialize()
        address = client.reader.raw._sock.getpeername()  # type: ignore[attr-defined]
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
        client.hang_up()
        assert client.exit_code() == 1


def test_the_process_that_the_command_line_names_is_watched() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as editor:
        command = [*ONBRAND_LSP, "--stdio", f"--clientProcessId={editor.pid}"]
        with raw_client(command) as client:
            client.initialize()
            client.open("untitled:x", "Ready when this is answered.")
            place = {"textDocument": {"uri": "untitled:x"}, "position": {"line": 0, "character": 0}}
            client.call("textDocument/hover", place)
            editor.communicate(b"\n")
            assert client.exit_code() == 1
            assert client.log() == ["onbrand-lsp: WARNING the editor is gone; ending"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize("greeted", [False, True])
def test_sigterm_ends_it_at_once(project: Path, *, greeted: bool) -> None:
    """Though the client goes on listening, and a reader waits for what it says."""
    with raw_client(cwd=project) as client:
        if greeted:
            client.initialize(workspaceFolders=[{"uri": project.as_uri(), "name": "project"}])
            client.open((project / "draft.md").as_uri(), OFF_BRAND)
            assert pull(client, (project / "draft.md").as_uri())
        else:
            assert client.error("shutdown")
        client.process.terminate()
        assert client.exit_code() == -signal.SIGTERM


# What it loads, and when.


def test_initialize_is_answered_before_anything_heavy_is_loaded() -> None:
    """And nothing on the way to it loads what only other commands need."""
    script = f"""
import sys
from onbrand_cli import main
from onbrand_lsp.rpc import startup

def build(params):
    loaded = {{name.partition(".")[0] for name in sys.modules}}
    sys.stderr.write(" ".join(sorted(loaded & set({HEAVY!r}))))
    sys.exit()

startup._build = build
sys.argv[1:] = ["lsp"]
main()
"""
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}}
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, input=frame(message), capture_output=True, check=True)
    assert b'"serverInfo":{"name":"onbrand"' in done.stdout
    assert done.stderr == b""


def test_the_command_is_there_only_with_its_package() -> None:
    script = """
import sys
sys.modules["onbrand_lsp"] = None
from onbrand_cli import main
sys.argv[1:] = ["lsp"]
main()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 2
    assert "No such command 'lsp'" in done.stderr


# Words on the command line.


def test_without_lsprotocol_the_mend_is_named() -> None:
    script = """
import sys
sys.modules["lsprotocol"] = None
from onbrand_cli import main
sys.argv[1:] = ["lsp"]
main()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    expected = f"the language server needs an optional part: {install_command('lsp')}"
    assert done.stderr == f"error: {expected}\n"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--stdio", "--tcp", "0"], "--stdio and --tcp exclude each other; give one of them"),
        (
            ["--tcp", "70000"],
            "Invalid value for '--tcp': 70000 is not in the range 0<=x<=65535; "
            "see onbrand lsp --help",
        ),
    ],
)
def test_options_that_do_not_go(arguments: list[str], error: str) -> None:
    assert error_of(run("lsp", *arguments)) == error


def test_a_port_that_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [*ONBRAND_LSP, "--tcp", str(port)]
        done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: cannot listen on 127.0.0.1, port {port} (")


@pytest.mark.parametrize("closed", [0, 1])
def test_a_standard_stream_that_is_closed(closed: int) -> None:
    script = f"""
import os, sys
os.close({closed})
os.execv(sys.executable, [sys.executable, "-m", "onbrand", "lsp"])
"""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == (
        "error: standard input or output is closed; an editor starts onbrand lsp with both open\n"
    )


def test_without_stderr_it_serves_all_the_same() -> None:
    script = """
import os, sys
os.close(2)
os.execv(sys.executable, [sys.executable, "-m", "onbrand", "lsp"])
"""
    said = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}},
        {"jsonrpc": "2.0", "id": 2, "method": "nonsense"},
        {"jsonrpc": "2.0", "id": 3, "method": "shutdown"},
        {"jsonrpc": "2.0", "method": "exit"},
    ]
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, input=b"".join(map(frame, said)), stdout=subprocess.PIPE)
    assert done.returncode == 0
    assert json.dumps({"jsonrpc": "2.0", "id": 3, "result": None}).replace(" ", "") in str(
        done.stdout
    )


def test_a_log_that_nobody_reads_does_not_hold_it_up() -> None:
    """Three thousand lines are more than a pipe holds."""
    nonsense = {"jsonrpc": "2.0", "id": 2, "method": "nonsense"}
    said = [
        {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"capabilities": {}}},
        *[nonsense] * 3000,
        {"jsonrpc": "2.0", "id": 3, "method": "shutdown"},
        {"jsonrpc": "2.0", "method": "exit"},
    ]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(ONBRAND_LSP, **pipes) as process:
        process.stdin.write(b"".join(map(frame, said)))
        process.stdin.close()
        assert process.stdout.read().count(b"no such method") == 3000
        assert process.wait() == 0


def test_what_it_leaves_in_the_folder_is_nothing(project: Path) -> None:
    before = sorted(project.rglob("*"))
    draft = project / "draft.md"
    with raw_client(cwd=project) as client:
        client.initialize(
            rootUri=project.as_uri(), capabilities={"textDocument": {"diagnostic": {}}}
        )
        client.open(draft.as_uri(), OATFOLK_DRAFT.read_text(encoding="utf-8"))
        pull(client, draft.as_uri())
        assert client.end() == 0
    assert sorted(project.rglob("*")) == before
