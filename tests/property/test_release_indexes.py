"""Any index has one form, and whatever bytes come instead are refused in one line."""

from __future__ import annotations

import datetime
import functools
import json
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from release_samples import KEY, TRUSTED, write_release

from onbrand.encoder.bundle import BundleFile
from onbrand.errors import OnbrandError
from onbrand_releases.index import (
    Index,
    Package,
    Signature,
    encode,
    read_index,
    sign_index,
    signed_bytes,
)
from onbrand_releases.signing import sign

HEX = st.integers(0, 2**256 - 1).map(lambda number: f"{number:064x}")
FILES = st.builds(BundleFile, st.integers(0, 2**20), HEX)
BRANDS = st.from_regex(r"[a-zäß0-9]([a-z_.-]{0,20}[a-zé0-9])?", fullmatch=True).filter(
    lambda name: name.split(".")[0] not in {"con", "prn", "aux", "nul"} and name[:3] not in "comlpt"
)


def packages(kind: str, manifest: str) -> st.SearchStrategy[tuple[Package, ...]]:
    one = st.builds(
        Package,
        name=BRANDS,
        version=st.from_regex(r"[0-9A-Za-z.:+_-]{1,64}", fullmatch=True),
        encoder=HEX,
        archive=st.uuids().map(lambda uuid: f"{kind}/{uuid}.tar.gz"),
        size=st.integers(1, 2**40),
        sha256=HEX,
        files=FILES.map(lambda file: {manifest: file}),
    )
    return st.lists(one, max_size=4, unique_by=lambda package: package.name.casefold()).map(tuple)


INDEXES = st.builds(
    Index,
    format=st.just(1),
    name=st.text(min_size=1, max_size=128).filter(str.isprintable),
    release=st.integers(1, 2**53),
    created=st.just("2025-11-22T10:00:00+00:00"),
    expires=st.none() | st.datetimes(timezones=st.just(datetime.UTC)),
    onbrand=st.just("0.1.0"),
    encoders=packages("encoders", "encoder.json"),
    voices=packages("voices", "voice.json"),
)


@functools.cache
def sample() -> Index:
    with tempfile.TemporaryDirectory() as folder:
        return write_release(Path(folder))


def refused(data: bytes) -> None:
    with pytest.raises(OnbrandError) as caught:
        read_index(data, {TRUSTED})
    assert str(caught.value).isprintable()


@given(INDEXES)
def test_any_honest_index_is_read_back(index: Index) -> None:
    signed = sign_index(index, KEY)
    assert read_index(encode(signed), {TRUSTED}) == signed
    assert msgspec.structs.replace(signed, signature=None) == index


@given(INDEXES, INDEXES)
def test_a_signature_is_good_for_one_index(first: Index, second: Index) -> None:
    if first != second:
        signature = sign_index(first, KEY).signature
        refused(encode(msgspec.structs.replace(second, signature=signature)))


@given(st.binary(max_size=500) | st.text().map(str.encode))
def test_any_bytes_are_refused(data: bytes) -> None:
    refused(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
FIELDS = st.sampled_from([*Index.__struct_fields__, *Package.__struct_fields__, "../x", "note"])


@given(st.data())
def test_any_other_value_is_refused(data: st.DataObject) -> None:
    """As an attacker without the key would write it, in the form that is expected."""
    document = json.loads(encode(sample()))
    part: dict[str, Any] = data.draw(
        st.sampled_from([document, document["voices"][0], document["voices"][0]["files"]])
    )
    field, value = data.draw(FIELDS), data.draw(JSON)
    if field in part and part[field] == value:
        return
    part[field] = value
    refused((json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace"))


@given(st.text(max_size=70), st.text(max_size=90), st.text(max_size=70))
def test_whatever_a_stolen_key_signs_stays_in_its_folder(
    name: str, archive: str, file: str
) -> None:
    voice = sample().voices[0]
    hostile = msgspec.structs.replace(
        voice,
        name=name,
        archive=f"voices/{archive}",
        files=voice.files | {file: BundleFile(1, "0" * 64)},
    )
    index = msgspec.structs.replace(sample(), voices=(hostile,))
    try:
        signature = Signature(TRUSTED, sign(KEY, signed_bytes(index)))
        data = encode(msgspec.structs.replace(index, signature=signature))
    except UnicodeEncodeError:
        return
    try:
        taken = read_index(data, {TRUSTED}).voices[0]
    except OnbrandError:
        return
    root = Path("/root")
    for inside in (taken.name, *taken.files):
        assert (root / inside).parent == root
    assert (root / taken.archive).parent == root / "voices"
