"""Fetching models from a hub: a small server here plays it."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from onbrand.errors import OnbrandError
from onbrand_models import hub
from onbrand_models.source import find_source

pytestmark = pytest.mark.heavy("huggingface_hub")

SHA = "a" * 40
FILES = {
    "config.json": json.dumps(
        {
            "model_type": "bert",
            "num_hidden_layers": 2,
            "hidden_size": 32,
            "max_position_embeddings": 64,
        }
    ),
    "tokenizer.json": "{}",
    "model.safetensors": "weights",
    "README.md": "---\nlicense: mit\n---\n# Introduction\n",
    "pytorch_model.bin": "a pickle",
    "onnx/model.onnx": "large",
}


class Hub(BaseHTTPRequestHandler):
    """Answers as the Hugging Face hub does for one public model, some-org/tiny."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        Hub.asked.append(self.path)
        api, resolve = "/api/models/some-org/tiny", f"/some-org/tiny/resolve/{SHA}/"
        if self.path in (api, f"{api}/revision/main", f"{api}/revision/v1"):
            siblings = [{"rfilename": name} for name in FILES]
            self.answer(json.dumps({"id": "some-org/tiny", "sha": SHA, "siblings": siblings}))
        elif self.path.startswith(resolve):
            self.answer(FILES[self.path.removeprefix(resolve)])
        elif self.path.startswith(api):
            self.answer("", 404, "RevisionNotFound")
        else:
            self.answer("", 401, "RepoNotFound")

    do_HEAD = do_GET  # noqa: N815

    def answer(self, body: str, code: int = 200, error: str = "") -> None:
        self.send_response(code)
        if error:
            self.send_header("X-Error-Code", error)
        self.send_header("X-Repo-Commit", SHA)
        self.send_header("ETag", f'"{hashlib.sha256(body.encode()).hexdigest()}"')
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    return tmp_path / "cache"


@pytest.fixture
def server(cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    Hub.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
        monkeypatch.setattr(
            "huggingface_hub.file_download.HUGGINGFACE_CO_URL_TEMPLATE",
            address + "/{repo_id}/resolve/{revision}/{filename}",
        )
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_a_model_is_fetched_without_its_pickles(
    server: ThreadingHTTPServer, capfd: pytest.CaptureFixture[str]
) -> None:
    source = find_source("some-org/tiny")
    assert capfd.readouterr() == ("", ""), "a bar is for terminals"
    assert (source.name, source.licence) == ("tiny", "MIT")
    assert source.origin == "some-org/tiny (Hugging Face)"
    assert source.weights.read_text() == "weights"
    fetched = {path.name for path in source.folder.iterdir()}
    assert fetched == {"config.json", "tokenizer.json", "model.safetensors", "README.md"}


def test_a_revision_is_asked_for(server: ThreadingHTTPServer) -> None:
    assert find_source("some-org/tiny@v1").origin == "some-org/tiny@v1 (Hugging Face)"
    assert "/api/models/some-org/tiny/revision/v1" in Hub.asked
    with pytest.raises(OnbrandError, match="has 'some-org/tiny', but no revision 'v2' of it"):
        find_source("some-org/tiny@v2")


def test_what_was_fetched_once_is_there_without_a_network(
    server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    online = find_source("some-org/tiny")
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    assert find_source("some-org/tiny") == online


def test_a_model_that_the_hub_does_not_have(server: ThreadingHTTPServer) -> None:
    with pytest.raises(OnbrandError, match="no public model on the Hugging Face hub; check the"):
        find_source("some-org/other")


def test_no_network_at_all(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(OnbrandError, match=r"\(ConnectionError\); check the name and the network"):
        find_source("some-org/tiny")
    assert not cache.exists()


def test_a_network_that_never_answers(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    monkeypatch.setattr(hub, "_SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
        with pytest.raises(OnbrandError, match=r"\(ReadTimeout\); check the name and the network"):
            find_source("some-org/tiny")


def test_the_hub_is_off(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with HF_HUB_OFFLINE=1."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(OnbrandError, match="check the name and the network") as caught:
        find_source("some-org/tiny")
    assert "\n" not in str(caught.value)


def test_an_installed_package_without_a_model_is_called_that(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(OnbrandError, match="^'msgspec' is an installed package without a model"):
        find_source("msgspec")
    with pytest.raises(OnbrandError, match="^'some-org/tiny@v1' is no folder, no installed pack"):
        find_source("some-org/tiny@v1")
