"""How a server begins and ends: never half a goodbye, never an orphan."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lsp_client import (
    ECHO,
    SECRET,
    URI,
    RawClient,
    assert_well,
    frame,
    is_running,
    raw_client,
    text_of,
    wait_for,
)

HERE = Path(__file__).parent
PARSE_ERROR, INVALID_REQUEST, INVALID_PARAMS = -32700, -32600, -32602
NOT_INITIALIZED, CANCELLED = -32002, -32800
both_ways = pytest.mark.parametrize("stranger", ["stdio", "tcp"], indirect=True)


@pytest.fixture
def stranger(request: pytest.FixtureRequest) -> Iterator[RawClient]:
    """A client that has not said a word yet."""
    with raw_client(ECHO, tcp=getattr(request, "param", "stdio") == "tcp") as client:
        yield client


@pytest.fixture
def client(stranger: RawClient) -> RawClient:
    stranger.initialize()
    return stranger


# Beginnings and ends.


@both_ways
def test_before_initialize(stranger: RawClient) -> None:
    stranger.send(b"{")
    assert stranger.answer(None)["error"]["code"] == PARSE_ERROR
    assert stranger.error("textDocument/hover", {"text": SECRET})["code"] == NOT_INITIALIZED
    assert stranger.error("shutdown")["code"] == NOT_INITIALIZED
    stranger.open(URI, SECRET)
    assert stranger.error("initialize", [SECRET])["code"] == INVALID_PARAMS
    stranger.initialize()
    assert text_of(stranger) is None
    assert_well(
        stranger,
        "WARNING the message is not JSON; answered with an error",
        "WARNING a request before initialize; answered with an error",
        "WARNING a request before initialize; answered with an error",
        "WARNING initialize without parameters; answered with an error",
    )


def test_initialize_with_nonsense_in_it(stranger: RawClient) -> None:
    capabilities = {
        "general": {"positionEncodings": ["utf-7", 8, "utf-32"]},
        "textDocument": {"hover": {"contentFormat": ["smoke signals"]}, "diagnostic": True},
        "workspace": 7,
    }
    result = stranger.initialize(
        processId=SECRET,
        capabilities=capabilities,
        workspaceFolders=[7, {"uri": 8}, {"uri": "file:///a"}],
        initializationOptions=[SECRET],
        trace="loud",
    )
    assert result["capabilities"]["positionEncoding"] == "utf-32"
    assert "diagnosticProvider" not in result["capabilities"]
    assert_well(stranger)


def test_initialize_twice(client: RawClient) -> None:
    error = client.error("initialize", {"capabilities": {}, "processId": None})
    assert error["code"] == INVALID_REQUEST
    assert_well(client, "WARNING initialize refused: initialize was answered before")


def test_after_shutdown(client: RawClient) -> None:
    pending = client.request("onbrand/wait")
    assert client.call("shutdown") is None
    assert client.answer(pending)["error"]["code"] == CANCELLED
    client.open(URI, SECRET)
    assert client.error("onbrand/document", {"uri": URI})["code"] == INVALID_REQUEST
    client.notify("exit")
    assert client.exit_code() == 0
    assert client.log() == ["onbrand-lsp: WARNING a request after shutdown; answered with an error"]


@both_ways
def test_exit_without_shutdown(client: RawClient) -> None:
    client.request("onbrand/work")
    client.notify("exit")
    assert (client.exit_code(), client.log()) == (1, [])


def test_exit_before_initialize(stranger: RawClient) -> None:
    stranger.notify("exit")
    assert (stranger.exit_code(), stranger.log()) == (1, [])


@pytest.mark.parametrize("said", [b"", b"Content-", b"Content-Length: 500\r\n\r\n{"])
def test_hanging_up_before_initialize(stranger: RawClient, said: bytes) -> None:
    stranger.send_bytes(said)
    stranger.hang_up()
    assert (stranger.exit_code(), stranger.log()) == (1, [])


@pytest.mark.parametrize("said", [b"", b"Content-", b"Content-Length: 500\r\n\r\n{"])
@both_ways
def test_hanging_up_in_the_middle(client: RawClient, said: bytes) -> None:
    for _ in range(20):
        client.request("onbrand/work")
        client.request("onbrand/wait")
    client.send_bytes(said)
    client.hang_up()
    assert (client.exit_code(), client.log()) == (1, [])


@both_ways
def test_hanging_up_after_shutdown_is_no_failure(client: RawClient) -> None:
    assert client.call("shutdown") is None
    client.hang_up()
    assert (client.exit_code(), client.log()) == (0, [])


def test_output_that_nobody_wants_ends_the_server() -> None:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(ECHO, **pipes) as process:
        process.stdin.write(request(1, "initialize", {"capabilities": {}}))
        process.stdin.flush()
        assert process.stdout.readline().startswith(b"Content-Length")
        process.stdout.close()
        process.stdin.write(request(2, "onbrand/flood", {"count": 10, "size": 100_000}))
        process.stdin.flush()
        assert process.stderr.read() == b""
        assert process.wait() == 1


def test_output_that_waits_does_not_hold_up_input() -> None:
    """A client that does not read for a while is heard all the same."""
    with subprocess.Popen(ECHO, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdin.write(request(1, "initialize", {"capabilities": {}}))
        process.stdin.write(request(2, "onbrand/flood", {"count": 200, "size": 100_000}))
        # More than a pipe holds: it is taken although nobody has read a byte of the answers.
        for number in range(3, 203):
            process.stdin.write(request(number, "onbrand/document", {"uri": "x" * 10_000}))
        process.stdin.write(request(203, "shutdown", None))
        process.stdin.close()
        out = process.stdout.read()
        assert process.wait() == 0
    assert out.count(b'"method":"onbrand/wave"') == 200
    assert out.endswith(b'{"jsonrpc":"2.0","id":203,"result":null}')


def request(number: int, method: str, params: object) -> bytes:
    return frame({"jsonrpc": "2.0", "id": number, "method": method, "params": params})


def test_what_is_printed_by_mistake_goes_to_stderr() -> None:
    with raw_client(ECHO) as client:
        client.initialize()
        assert client.call("onbrand/print") is None
        assert client.end() == 0
        assert client.log() == ["printed by mistake"]


# The editor dies.

EDITOR = """
import subprocess, sys, time
sys.path.insert(0, sys.argv[1])
from lsp_client import RawClient
client = RawClient([sys.executable, sys.argv[2]], tcp=sys.argv[3] == "tcp")
client.initialize()
client.request("onbrand/work")
print(client.process.pid, flush=True)
time.sleep(3600)
"""


@pytest.mark.parametrize("how", ["stdio", "tcp"])
@pytest.mark.skipif(sys.platform == "win32", reason="kill -9 is POSIX")
def test_no_orphan_when_the_editor_is_killed(how: str) -> None:
    command = [sys.executable, "-c", EDITOR, str(HERE), ECHO[1], how]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as editor:
        server = int(editor.stdout.readline())
        assert is_running(server)
        editor.send_signal(signal.SIGKILL)
        editor.wait()
        wait_for(lambda: not is_running(server))


def test_no_orphan_when_the_pipe_outlives_the_editor() -> None:
    """The end of a pipe that a child of the editor has inherited stays open."""
    with (
        subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as editor,
        raw_client(ECHO) as client,
    ):
        client.initialize(processId=editor.pid)
        assert text_of(client) is None
        editor.communicate(b"\n")
        assert client.exit_code() == 1
        assert client.log() == ["onbrand-lsp: WARNING the editor is gone; ending"]


def test_an_editor_that_was_never_there_is_not_missed(stranger: RawClient) -> None:
    """One outside of the container that the server runs in, say."""
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()
    stranger.initialize(processId=gone.pid)
    assert_well(stranger)


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
def test_ctrl_c_ends_it_without_a_traceback(client: RawClient) -> None:
    client.request("onbrand/work")
    assert text_of(client) is None
    os.kill(client.process.pid, signal.SIGINT)
    assert (client.exit_code(), client.log()) == (130, [])
