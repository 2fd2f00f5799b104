"""Releases over HTTPS: certificates count, and nothing leads out of encryption."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from certificate_samples import write_certificate
from release_samples import TRUSTED, write_release
from release_server import Server, serve

from onbrand.errors import OnbrandError
from onbrand_releases.install import install, update


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that is its own authority, with its key."""
    return write_certificate(tmp_path / "server.pem")


@pytest.fixture
def server(tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "*")
    write_release(tmp_path / "release")
    with serve(tmp_path / "release", certificate) as running:
        yield running


def test_a_trusted_server(
    server: Server, tmp_path: Path, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert install(server.url, tmp_path / "root", [TRUSTED]).status == "installed"
    with serve(tmp_path / "release") as plain:
        server.does.redirects["/index.json"] = f"{plain.url}/index.json"
        # To this computer itself that is no loss, but to another it would be.
        assert update(tmp_path / "root").status == "up to date"
    server.does.redirects["/index.json"] = "http://brand.example.com/index.json"
    with pytest.raises(OnbrandError, match="is not encrypted; use https://"):
        update(tmp_path / "root")


def test_a_server_that_nobody_vouches_for(server: Server, tmp_path: Path) -> None:
    with pytest.raises(OnbrandError) as caught:
        install(server.url, tmp_path / "root", [TRUSTED])
    assert str(caught.value).startswith(
        f"{server.url}/index.json: its certificate is not to be trusted: self-signed certificate"
    )
    assert not (tmp_path / "root").exists()
