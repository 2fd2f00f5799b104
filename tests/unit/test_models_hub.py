"""Fetching models from a hub: a small server here plays it."""

from __future__ import annotations

import hashlib
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

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
        elif self.path.startswith(f"{api}/tree/{SHA}"):  # asked for by huggingface_hub 2
            tree = [
                {"type": "file", "path": name, "size": len(text), "oid": "b" * 40}
                for name, text in FILES.items()
            ]
            self.answer(json.dumps(tree))
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


FIND = """
import json, sys
from onbrand.errors import OnbrandError
from onbrand_models import source as hub
from onbrand_models.source import find_source

hub._SECONDS = float(sys.argv[2])
try:
    source = find_source(sys.argv[1])
    found = {"name": source.name, "licence": source.licence, "origin": source.origin}
    found["weights"] = source.weights.read_text()
    found["files"] = sorted(path.name for path in source.folder.iterdir())
except OnbrandError as error:
    found = {"error": str(error)}
print(json.dumps(found))
"""
"""A process of its own: the hub's library reads its settings, which are variables, but once."""


@dataclass
class Finder:
    """Finds a model as a user would, with the hub at an address of ours."""

    cache: Path
    endpoint: str = "http://127.0.0.1:9"
    offline: bool = False
    seconds: float = 10

    def __call__(self, name: str) -> dict[str, Any]:
        variables = {
            "HF_ENDPOINT": self.endpoint,
            "HF_HUB_CACHE": str(self.cache),
            "HF_HUB_OFFLINE": str(int(self.offline)),
        }
        done = subprocess.run(
            [sys.executable, "-c", FIND, name, str(self.seconds)],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
        )
        assert (done.returncode, done.stderr) == (0, ""), "a bar is for terminals"
        (line,) = done.stdout.splitlines()
        found: dict[str, Any] = json.loads(line)
        return found


@pytest.fixture
def find(tmp_path: Path) -> Finder:
    """Finds models where there is no hub."""
    return Finder(tmp_path / "cache")


@pytest.fixture
def find_online(find: Finder) -> Iterator[Finder]:
    """Finds models on the hub that is played here."""
    Hub.asked.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        find.endpoint = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        yield find
        server.shutdown()
        thread.join()


def test_a_model_is_fetched_without_its_pickles(find_online: Finder) -> None:
    assert find_online("some-org/tiny") == {
        "name": "tiny",
        "licence": "MIT",
        "origin": "some-org/tiny (Hugging Face)",
        "weights": "weights",
        "files": ["README.md", "config.json", "model.safetensors", "tokenizer.json"],
    }


def test_a_revision_is_asked_for(find_online: Finder) -> None:
    assert find_online("some-org/tiny@v1")["origin"] == "some-org/tiny@v1 (Hugging Face)"
    assert "/api/models/some-org/tiny/revision/v1" in Hub.asked
    refused = find_online("some-org/tiny@v2")["error"]
    assert "has 'some-org/tiny', but no revision 'v2' of it" in refused


def test_what_was_fetched_once_is_there_without_a_network(find_online: Finder) -> None:
    online = find_online("some-org/tiny")
    find_online.endpoint = "http://127.0.0.1:9"
    assert find_online("some-org/tiny") == online


def test_a_model_that_the_hub_does_not_have(find_online: Finder) -> None:
    refused = find_online("some-org/other")["error"]
    assert "no public model on the Hugging Face hub; check the" in refused


def test_no_network_at_all(find: Finder) -> None:
    assert "(no connection); check the name and the network" in find("some-org/tiny")["error"]
    assert not find.cache.exists()


def test_a_network_that_never_answers(find: Finder) -> None:
    find.seconds = 0.1
    with socket.create_server(("127.0.0.1", 0)) as silent:
        find.endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        refused = find("some-org/tiny")["error"]
    assert "(no answer in 0.1 seconds); check the name and the network" in refused


def test_the_hub_is_off(find: Finder) -> None:
    """As with HF_HUB_OFFLINE=1."""
    find.offline = True
    refused = find("some-org/tiny")["error"]
    assert "check the name and the network" in refused
    assert "\n" not in refused


def test_an_installed_package_without_a_model_is_called_that(find: Finder) -> None:
    find.offline = True
    assert find("msgspec")["error"].startswith("'msgspec' is an installed package without a model")
    refused = find("some-org/tiny@v1")["error"]
    assert refused.startswith("'some-org/tiny@v1' is no folder, no installed package")
