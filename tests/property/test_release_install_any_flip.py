"""Whatever byte of a release is changed, and to whatever: it is refused."""

from __future__ import annotations

from collections.abc import Iterator

import fsspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from release_samples import TRUSTED, write_release

from onbrand.errors import OnbrandError
from onbrand.installation import installations_folder, read_installed
from onbrand_releases import fetch
from onbrand_releases.fetch import Source, fetch_archive, fetch_index
from onbrand_releases.index import read_index
from onbrand_releases.install import install, update


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A release by its files."""
    folder = tmp_path_factory.mktemp("release")
    write_release(folder)
    return {
        file.relative_to(folder).as_posix(): file.read_bytes()
        for file in folder.rglob("*")
        if file.is_file()
    }


@pytest.fixture(scope="module", autouse=True)
def no_pauses() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fetch, "PAUSES", ())
        yield


def put(files: dict[str, bytes]) -> Source:
    """Put a release into memory."""
    for name, data in files.items():
        fsspec.filesystem("memory").pipe(f"/flipped/{name}", data)
    return Source.of("memory://flipped")


@given(st.data())
def test_any_change_of_any_file(
    files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    name = data.draw(st.sampled_from(sorted(files)))
    place = data.draw(st.integers(0, len(files[name]) - 1))
    change = data.draw(st.binary(min_size=0, max_size=3))
    good = files[name]
    bad = good[:place] + change + good[place + data.draw(st.integers(0, 3)) :]
    source = put({**files, name: bad})
    partial = tmp_path_factory.mktemp("partial")

    def fetch_all() -> None:
        index = read_index(fetch_index(source), [TRUSTED])
        for package in (*index.encoders, *index.voices):
            fetch_archive(source, package, partial, lambda _here: None)

    if bad == good:
        fetch_all()
        return
    with pytest.raises(OnbrandError):
        fetch_all()


@given(junk=st.binary(max_size=200))
def test_any_bytes_are_no_release(junk: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    put({"index.json": junk})
    root = tmp_path_factory.mktemp("root") / "root"
    with pytest.raises(OnbrandError) as caught:
        install("memory://flipped", root, [TRUSTED])
    assert "\n" not in str(caught.value)
    assert not root.exists()


@given(junk=st.binary(max_size=300))
def test_any_bytes_are_no_installation(
    junk: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    root = tmp_path_factory.mktemp("root")
    (root / "installed.json").write_bytes(junk)
    with pytest.raises(OnbrandError) as caught:
        read_installed(root)
    assert "\n" not in str(caught.value)
    with pytest.raises(OnbrandError):
        update(root)


@given(st.text(min_size=1))
@example("0" * 300)
def test_any_text_as_source_is_told_in_a_line(text: str) -> None:
    for source in (text, f"https://{text}", f"file://{text}"):
        try:
            found = Source.of(source)
        except OnbrandError as error:
            assert "\n" not in error.message
        else:
            assert found.index
    assert installations_folder()
