"""An index is taken whole, as it was signed by a trusted key, and not at all otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from release_samples import KEY, STRANGER, TRUSTED, write_release

from onbrand.encoder.bundle import BundleFile
from onbrand.errors import OnbrandError
from onbrand_releases import index as module
from onbrand_releases.index import (
    Index,
    Package,
    Signature,
    encode,
    read_index,
    sign_index,
    signed_bytes,
    signers,
)
from onbrand_releases.signing import key_digits, sign


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    return write_release(tmp_path_factory.mktemp("release"), 7)


@pytest.fixture(scope="module")
def data(index: Index) -> bytes:
    return encode(index)


def refusal(data: bytes, *keys: str) -> str:
    with pytest.raises(OnbrandError) as caught:
        read_index(data, keys or {TRUSTED})
    assert str(caught.value).isprintable()
    assert caught.value.path == "index.json"
    return caught.value.message


def signed_anyway(index: Index) -> bytes:
    """Return what somebody with the publisher's key can write."""
    value = sign(KEY, signed_bytes(index))
    return encode(msgspec.structs.replace(index, signature=Signature(TRUSTED, value)))


def changed(index: Index, kind: str = "voices", **fields: Any) -> bytes:
    """Return a well signed index whose first voice or encoder is another."""
    first, *others = getattr(index, kind)
    packages = (msgspec.structs.replace(first, **fields), *others)
    return signed_anyway(msgspec.structs.replace(index, **{kind: packages}))


def test_what_was_signed_is_read(index: Index, data: bytes) -> None:
    assert read_index(data, {TRUSTED, key_digits(STRANGER)}) == index
    assert [voice.name for voice in index.voices] == ["acme", "beta"]


def test_the_form_is_the_documented_one(index: Index, data: bytes) -> None:
    document = json.loads(data)
    assert data == (json.dumps(document, indent=2) + "\n").encode()
    assert list(document) == list(Index.__struct_fields__)
    assert list(document["voices"][0]) == list(Package.__struct_fields__)
    files = list(document["voices"][0]["files"])
    assert files == sorted(files)
    unsigned = (json.dumps({**document, "signature": None}, indent=2) + "\n").encode()
    assert signed_bytes(index) == b"onbrand release index 1\0" + unsigned


def test_no_byte_can_be_changed(data: bytes) -> None:
    for place, byte in enumerate(data):
        for other in {byte ^ 1, byte ^ 0x20, byte ^ 0x80, 0, ord(" "), ord("0")} - {byte}:
            refusal(data[:place] + bytes([other]) + data[place + 1 :])


def test_no_byte_can_be_taken_out_or_put_in(data: bytes) -> None:
    for place in range(len(data)):
        refusal(data[:place])
        refusal(data[:place] + data[place + 1 :])
        refusal(data[:place] + b" " + data[place:])
    refusal(data + b"\n")


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda text: json.dumps(json.loads(text)),
        lambda text: json.dumps(json.loads(text), indent=2),  # no line feed at the end
        lambda text: json.dumps(json.loads(text), indent=4) + "\n",
        lambda text: json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n",
        lambda text: text.replace("\n", "\r\n"),
        lambda text: "\ufeff" + text,
        lambda text: text.replace('"agency"', '"\\u0061gency"'),
        lambda text: text.replace('"release": 7', '"release": 7.0'),
        lambda text: text.replace('"release": 7', '"release": 8,\n  "release": 7'),
        lambda text: text.replace('"release": 7', '"release": 7,\n  "release": 8'),
        lambda text: text.replace('"release": 7', '"release": 7,\n  "note": "hello"'),
        lambda text: text.replace('"release": 7', '"release": "7"'),
        lambda text: text.replace('  "signature": {', '  "signature": null,\n  "signature": {'),
        lambda text: text.replace(TRUSTED, TRUSTED.upper()),
        lambda text: text.replace("acme", "beta"),
    ],
)
def test_the_same_content_in_another_form_is_refused(
    data: bytes, rewrite: Callable[[str], str]
) -> None:
    rewritten = rewrite(data.decode())
    assert rewritten != data.decode()
    assert "do not use this release; ask who publishes it" in refusal(rewritten.encode())


def test_an_unsigned_index_is_refused(index: Index) -> None:
    unsigned = msgspec.structs.replace(index, signature=None)
    assert "is not signed" in refusal(encode(unsigned))


def test_a_key_that_is_not_pinned_is_refused(index: Index, data: bytes) -> None:
    stranger = key_digits(STRANGER)
    assert f"ed25519:{TRUSTED}, a key that you do not trust" in refusal(data, stranger)
    assert f"ed25519:{stranger}, a key" in refusal(encode(sign_index(index, STRANGER)))
    with pytest.raises(OnbrandError, match="do not trust"):
        read_index(data, set())


def test_a_signature_does_not_pass_for_another_one(index: Index) -> None:
    other = msgspec.structs.replace(index, release=8)
    value = sign(STRANGER, signed_bytes(index))
    for signature in (
        index.signature,  # of another index
        Signature(TRUSTED, value),  # by another key
        Signature(TRUSTED, sign(KEY, signed_bytes(other).partition(b"\0")[2])),  # of plain text
    ):
        forged = encode(msgspec.structs.replace(other, signature=signature))
        assert "was changed after it was signed" in refusal(forged)


@pytest.mark.parametrize(
    "name",
    [
        *("..", "../acme", "/acme", "a/b", "a\\b", "C:x", "con", "nul.txt", ".acme", "acme."),
        *("a b", " acme", "a\nb", "a\x1b[2Jb", "x" * 65, "\u202eacme", "e\u0301"),
    ],
)
@pytest.mark.parametrize("kind", ["voices", "encoders"])
def test_names_that_are_no_folders_are_refused(index: Index, kind: str, name: str) -> None:
    assert "cannot name a folder" in refusal(changed(index, kind, name=name))


@pytest.mark.parametrize(
    "archive",
    [
        *("/etc/passwd", "../voices/a.tar.gz", "voices/../a.tar.gz", "voices/a/b.tar.gz"),
        *("voices\\a.tar.gz", "C:/voices/a.tar.gz", "voices/.a.tar.gz", "voices/a.zip", ""),
        *("encoders/a.tar.gz", "voices/a.tar.gz\n", "https://example.com/voices/a.tar.gz"),
        *("voices/a.tar.gz?x", "voices/%2e%2e.tar.gz", f"voices/{'a' * 200}.tar.gz"),
    ],
)
def test_archives_that_are_elsewhere_are_refused(index: Index, archive: str) -> None:
    assert "is not voices/NAME.tar.gz" in refusal(changed(index, archive=archive))


@pytest.mark.parametrize(
    "name",
    [
        *("../x", "/x", "a/b", "a\\b", "..", ".", "", "C:x", ".hidden", "x\0", "aux", "nul.json"),
        *("a.", "x" * 65, "voice.json ", "ü"),
    ],
)
def test_file_names_that_are_not_plain_are_refused(index: Index, name: str) -> None:
    files = index.voices[0].files | {name: BundleFile(1, "0" * 64)}
    assert "is not a plain name" in refusal(changed(index, files=files))


def test_twins_are_refused(index: Index) -> None:
    acme, beta = index.voices
    assert "names 'ACME' twice" in refusal(
        signed_anyway(
            msgspec.structs.replace(
                index, voices=(acme, msgspec.structs.replace(beta, name="ACME"))
            )
        )
    )
    assert "the archive voices/beta" in refusal(changed(index, archive=beta.archive))
    files = acme.files | {"Voice.JSON": BundleFile(1, "0" * 64)}
    assert "names a file of acme twice" in refusal(changed(index, files=files))


def test_what_is_no_voice_or_no_bundle_is_refused(index: Index) -> None:
    files = {"model.onnx": BundleFile(1, "0" * 64)}
    assert "has no voice.json" in refusal(changed(index, files=files))
    assert "has no encoder.json" in refusal(changed(index, "encoders", files=files))


@pytest.mark.parametrize(
    "fields",
    [
        {"version": "x\x1b[2J"},
        {"version": "x\n"},
        {"encoder": "abc"},
        {"sha256": "0" * 64 + "\n"},
        {"size": 0},
        {"files": {}},
        {"files": {f"f{i}": BundleFile(1, "0" * 64) for i in range(65)}},
        {"files": {"voice.json": BundleFile(2**31 + 1, "0" * 64)}},
        {"files": {"voice.json": BundleFile(-1, "0" * 64)}},
    ],
)
def test_fields_out_of_bounds_are_refused(index: Index, fields: dict[str, Any]) -> None:
    assert "is no index of a release" in refusal(changed(index, **fields))


def test_a_release_that_would_fill_the_disk_is_refused(index: Index) -> None:
    big = BundleFile(2**31, "0" * 64)
    files = index.voices[0].files | {f"f{i}": big for i in range(4)}
    assert "unpacks to more than 8 GB" in refusal(changed(index, files=files))


def test_a_newer_format_asks_for_a_newer_onbrand(index: Index) -> None:
    newer = encode(msgspec.structs.replace(index, format=2))
    assert refusal(newer) == "release format 2, this onbrand reads format 1; update onbrand"


def test_a_name_for_the_terminal_is_refused(index: Index) -> None:
    hostile = msgspec.structs.replace(index, name="agency\x1b[2J")
    assert "a name that cannot be printed" in refusal(signed_anyway(hostile))
    with pytest.raises(OnbrandError, match="cannot be printed"):
        sign_index(hostile, KEY)


def test_who_claims_to_have_signed(index: Index, data: bytes) -> None:
    assert signers(data) == {TRUSTED}
    assert signers(data.replace(b"acme", b"evil")) == {TRUSTED}
    assert signers(encode(msgspec.structs.replace(index, signature=None))) == set()


@pytest.mark.parametrize("content", [b"", b"null", b"\xff", b"[" * 100_000, b'{"signature": 1}'])
def test_nobody_claims_to_have_signed(content: bytes) -> None:
    assert signers(content) == set()


@pytest.mark.parametrize(
    "content", [b"", b"null", b"[]", b"{}", b"\xff\xfe", b"[" * 100_000, b'{"format": 1e999}']
)
def test_what_is_no_index_is_refused(content: bytes) -> None:
    assert "is no index of a release" in refusal(content)


def test_the_words_of_a_stranger_do_not_reach_the_terminal() -> None:
    refusal(b'{"format": 1, "\\u001b[2J\\nerror: all is well": 1}')


def test_an_endless_index_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.msgspec.json, "decode", None)
    assert "is larger than 4 MB" in refusal(b" " * (module.MAX_INDEX_BYTES + 1))


def test_an_index_is_small_enough_for_an_agency(index: Index, tmp_path: Path) -> None:
    voices = tuple(
        msgspec.structs.replace(
            index.voices[0], name=f"brand-{i}", archive=f"voices/brand-{i}-1a2b3c4d5e6f.tar.gz"
        )
        for i in range(2000)
    )
    many = sign_index(msgspec.structs.replace(index, voices=voices), KEY)
    assert len(encode(many)) < module.MAX_INDEX_BYTES
