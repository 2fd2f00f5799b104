"""Keys of releases: made, kept, read and refused."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from release_samples import KEY, TRUSTED

from onbrand.errors import OnbrandError
from onbrand_releases import signing
from onbrand_releases.signing import (
    key_digits,
    load_private_key,
    new_key,
    parse_public_key,
    public_key,
    read_passphrase,
    sign,
    verify,
)


@pytest.fixture(autouse=True)
def _no_keys_around(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(signing.PASSPHRASE, raising=False)
    monkeypatch.delenv(signing.SIGNING_KEY, raising=False)


def key_file(folder: Path, pem: bytes, mode: int = 0o600) -> Path:
    path = folder / "release.key"
    path.write_bytes(pem)
    path.chmod(mode)
    return path


def refusal(path: Path | None) -> str:
    with pytest.raises(OnbrandError) as caught:
        load_private_key(path)
    assert "\n" not in str(caught.value)
    assert "PRIVATE" not in str(caught.value)
    return str(caught.value)


def test_a_key_is_read_back(tmp_path: Path) -> None:
    pem = new_key()
    key = load_private_key(key_file(tmp_path, pem))
    assert pem.startswith(b"-----BEGIN PRIVATE KEY-----")
    assert new_key() != pem
    assert parse_public_key(public_key(key)) == key_digits(key)


def test_an_encrypted_key_needs_its_passphrase(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = key_file(tmp_path, new_key(b"open sesame"))
    assert b"ENCRYPTED" in path.read_bytes()
    assert "put its passphrase in the environment variable ONBRAND_KEY_PASSPHRASE" in refusal(path)
    monkeypatch.setenv(signing.PASSPHRASE, "open barley")
    assert "check the passphrase in ONBRAND_KEY_PASSPHRASE" in refusal(path)
    monkeypatch.setenv(signing.PASSPHRASE, "open sesame")
    key = load_private_key(path)
    assert verify(key_digits(key), b"x", sign(key, b"x"))


@pytest.mark.skipif(os.name != "posix", reason="environments of bytes are POSIX")
def test_a_passphrase_is_the_bytes_that_were_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(signing.PASSPHRASE, os.fsdecode(b"caf\xe9"))
    assert read_passphrase() == b"caf\xe9"
    load_private_key(key_file(tmp_path, new_key(b"caf\xe9")))


def test_a_passphrase_that_is_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = key_file(tmp_path, new_key(b"x" * 1023))
    monkeypatch.setenv(signing.PASSPHRASE, "x" * 1023)
    load_private_key(path)
    monkeypatch.setenv(signing.PASSPHRASE, "x" * 1100)
    told = "ONBRAND_KEY_PASSPHRASE: the passphrase has 1,100 bytes; 1,023 is the most"
    assert refusal(path).startswith(told)
    with pytest.raises(OnbrandError, match="the passphrase has 1,024 bytes"):
        new_key(b"x" * 1024)
    load_private_key(key_file(tmp_path, new_key()))


def test_a_passphrase_that_is_set_does_not_hurt_a_plain_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(signing.PASSPHRASE, "of another key")
    load_private_key(key_file(tmp_path, new_key()))


def test_a_key_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pem = new_key()
    monkeypatch.setenv(signing.SIGNING_KEY, pem.decode())
    assert key_digits(load_private_key()) == key_digits(load_private_key(key_file(tmp_path, pem)))
    monkeypatch.setenv(signing.SIGNING_KEY, "swordfish")
    assert refusal(None).startswith("ONBRAND_SIGNING_KEY: is no private key")
    assert "swordfish" not in refusal(None)
    monkeypatch.setenv(signing.SIGNING_KEY, "a\udcff")
    assert "is no private key" in refusal(None)


def test_no_key_at_all_says_how_to_get_one() -> None:
    assert "set ONBRAND_SIGNING_KEY; make one with: onbrand models keygen -o FILE" in refusal(None)


@pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o620])
def test_a_key_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = key_file(tmp_path, new_key(), mode)
    assert refusal(path).endswith(f"run: chmod 600 {path}")


@pytest.mark.parametrize(
    "content", [b"not a key", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_what_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    assert "is no private key; make one with" in refusal(key_file(tmp_path, content))


def test_other_kinds_of_keys_are_refused(tmp_path: Path) -> None:
    pem = rsa.generate_private_key(65537, 2048).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    assert "is no Ed25519 key" in refusal(key_file(tmp_path, pem))


def test_a_missing_key_file(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "nowhere.key")
    assert "is a folder" in refusal(tmp_path)


def test_a_public_key_as_people_copy_it(tmp_path: Path) -> None:
    line = public_key(KEY)
    assert line == f"ed25519:{TRUSTED}"
    file = tmp_path / "release.pub"
    file.write_text(f"\n{line}\n")
    for text in (line, f"  {line.upper()}\n", str(file)):
        assert parse_public_key(text) == TRUSTED


@pytest.mark.parametrize("text", ["ed25519:", "ed25519:12", f"ed25519:{'g' * 64}", "ed25519:" * 9])
def test_what_is_no_public_key_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(OnbrandError, match="expected ed25519: and 64 hexadecimal digits"):
        parse_public_key(text)
    (tmp_path / "key").write_text(text)
    with pytest.raises(OnbrandError, match="64 hexadecimal digits") as caught:
        parse_public_key(str(tmp_path / "key"))
    assert caught.value.path == tmp_path / "key"


def test_a_file_of_two_keys_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f"ed25519:{TRUSTED}\ned25519:{TRUSTED}\n")
    with pytest.raises(OnbrandError, match="is no public key"):
        parse_public_key(str(tmp_path / "keys"))


def test_bare_digits_are_asked_to_say_what_they_are() -> None:
    with pytest.raises(OnbrandError, match=f"write the public key as ed25519:{TRUSTED}"):
        parse_public_key(TRUSTED)


def test_the_private_key_is_not_taken_for_the_public_one(tmp_path: Path) -> None:
    path = key_file(tmp_path, new_key())
    with pytest.raises(OnbrandError, match="is no public key") as caught:
        parse_public_key(str(path))
    assert path.read_text().splitlines()[1] not in str(caught.value)


def test_any_change_makes_a_signature_bad() -> None:
    signature = sign(KEY, b"index")
    assert verify(TRUSTED, b"index", signature)
    assert not verify(TRUSTED, b"Index", signature)
    assert not verify(TRUSTED, b"index", signature[:-2])
    assert not verify(TRUSTED, b"index", "zz")
    assert not verify(TRUSTED[:-2], b"index", signature)
    for i in range(len(signature)):
        other = "0" if signature[i] != "0" else "1"
        assert not verify(TRUSTED, b"index", signature[:i] + other + signature[i + 1 :])


def test_a_signature_has_one_form() -> None:
    """S + L satisfies the equation too; RFC 8032 has it refused (section 5.1.7)."""
    order = 2**252 + 27742317777372353535851937790883648493
    raw = bytes.fromhex(sign(KEY, b"index"))
    twin = int.from_bytes(raw[32:], "little") + order
    assert not verify(TRUSTED, b"index", (raw[:32] + twin.to_bytes(32, "little")).hex())


ORDER_8 = "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"
SMALL = ["00" * 32, "01" + "00" * 31, "ec" + "ff" * 30 + "7f", "ee" + "ff" * 30 + "7f", ORDER_8]
SMALL += ["26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", "00" * 31 + "80"]


@pytest.mark.parametrize("key", SMALL)
def test_keys_under_which_anybody_can_sign_are_refused(key: str) -> None:
    with pytest.raises(OnbrandError, match="anybody could sign"):
        parse_public_key(f"ed25519:{key}")


def test_a_signature_that_holds_for_every_text_is_refused() -> None:
    """Under the neutral element as key, R = neutral and S = 0 sign everything."""
    neutral = "01" + "00" * 31
    forged = neutral + "00" * 32
    public = ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(neutral))
    public.verify(bytes.fromhex(forged), b"anything")  # so much for the library
    assert not verify(neutral, b"anything", forged)


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.asymmetric.ed25519", None)
    for call in (new_key, load_private_key, lambda: verify(TRUSTED, b"", "")):
        with pytest.raises(OnbrandError, match=r"pip install '.*\[update\]'"):
            call()
