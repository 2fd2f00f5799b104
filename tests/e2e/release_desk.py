"""The desk of somebody who publishes releases, for tests of the command line."""

from __future__ import annotations

from pathlib import Path

from cli_runner import Run, error_of, run, tree
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from release_samples import KEY, NAME, TRUSTED, tiny_voice
from tiny_encoder import tiny_encoder

from onbrand_releases.index import Index, read_index


def pem_of(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


class Publisher:
    """A desk with an encoder, two voices, a key and the folder of a release."""

    def __init__(self, desk: Path) -> None:
        self.desk, self.release, self.key = desk, desk / "release", desk / "release.key"
        self.bundle, self.voices = desk / "tiny", desk / "voices"
        self.encoder = tiny_encoder(self.bundle)
        self.train("acme")
        self.train("beta")
        self.write_key(pem_of(KEY))

    def train(self, brand: str, seed: int = 0) -> None:
        tiny_voice(self.voices / brand, brand, self.encoder, seed)

    def write_key(self, pem: bytes) -> None:
        self.key.write_bytes(pem)
        self.key.chmod(0o600)

    def publish(self, *more: str | Path, encoder: bool = True) -> Run:
        arguments = ["-o", self.release, "--voices", self.voices, "--key", self.key]
        arguments += ["--encoder", self.bundle] if encoder else []
        arguments += [] if (self.release / "index.json").exists() else ["--name", NAME]
        return run("models", "publish", *arguments, *more)

    def published(self, *more: str | Path, encoder: bool = True) -> Index:
        done = self.publish(*more, encoder=encoder)
        assert done.code == 0, done
        return self.index()

    def index(self, key: str = TRUSTED) -> Index:
        return read_index((self.release / "index.json").read_bytes(), {key})

    def refusal(self, *more: str | Path, encoder: bool = True) -> str:
        """Return why nothing is published; everything is as it was before."""
        before = tree(self.desk)
        message = error_of(self.publish(*more, encoder=encoder))
        after = tree(self.desk)
        after.pop("release/.lock", None)
        before.pop("release/.lock", None)
        assert after == before
        return message
