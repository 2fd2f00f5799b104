"""Which files of a folder are drafts, and how they are read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from git_samples import git

from onbrand.discovery import decode_draft, find_drafts, is_glob, is_key_block, search, search_glob
from onbrand.document import formats
from onbrand.errors import OnbrandError


def write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("Hello.")


def names(folder: Path) -> list[str]:
    return [file.relative_to(folder).as_posix() for file in find_drafts(folder)]


def test_drafts_below_a_folder(tmp_path: Path) -> None:
    write(tmp_path, "b.md", "a/c.HTML", "a/b/d.mdx", "code.py", "a/notes", ".hidden.md")
    write(tmp_path, ".git/e.md", "a/node_modules/x/f.md", "a/.cache/g.txt")
    assert names(tmp_path) == ["a/b/d.mdx", "a/c.HTML", "b.md"]


def test_what_is_in_no_known_format_is_handed_back(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "b.docx", "c.textile", "d/LICENSE", ".hidden", "~$b.docx")
    left_out: set[Path] = set()
    assert find_drafts(tmp_path, left_out) == [tmp_path / "a.md", tmp_path / "b.docx"]
    assert left_out == {tmp_path / "c.textile"}
    assert find_drafts(tmp_path, text_only=True) == [tmp_path / "a.md"]


def test_a_hidden_folder_that_is_named_is_looked_into(tmp_path: Path) -> None:
    write(tmp_path, ".site/a.md")
    assert names(tmp_path / ".site") == ["a.md"]


def test_what_lies_aside_is_not_even_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "a.md", ".git/x/a.md", "node_modules/x/a.md", "dist/a.md", "b/pyvenv.cfg")
    write(tmp_path, "b/lib/a.md", "ignored/a.md", "c.egg-info/SOURCES.txt")
    (tmp_path / ".gitignore").write_text("ignored/\n")
    scandir, opened = os.scandir, []
    monkeypatch.setattr(os, "scandir", lambda path: opened.append(Path(path)) or scandir(path))
    assert names(tmp_path) == ["a.md"]
    assert opened == [tmp_path, tmp_path / "b"]


def test_links(tmp_path: Path) -> None:
    write(tmp_path, "real/a.md")
    (tmp_path / "drafts").mkdir()
    (tmp_path / "drafts/a.md").symlink_to(tmp_path / "real/a.md")
    (tmp_path / "drafts/gone.md").symlink_to(tmp_path / "gone.md")
    (tmp_path / "drafts/round").symlink_to(tmp_path / "drafts")
    assert names(tmp_path / "drafts") == ["a.md"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipes_are_left_out_and_told(tmp_path: Path) -> None:
    write(tmp_path, "a.md")
    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / "link.md").symlink_to(tmp_path / "pipe.md")
    left_out: list[Path] = []
    assert find_drafts(tmp_path, irregular=left_out.append) == [tmp_path / "a.md"]
    assert sorted(path.name for path in left_out) == ["link.md", "pipe.md"]


def test_what_is_built_or_installed_is_searched_only_when_it_is_named(tmp_path: Path) -> None:
    write(tmp_path, "a.md", "build/b.md", "x/venv/c.md", "x/_site/d.md", "builds/e.md")
    assert names(tmp_path) == ["a.md", "builds/e.md"]
    assert names(tmp_path / "build") == ["b.md"]


@pytest.mark.parametrize(
    "name",
    [
        *("requirements.txt", "requirements-dev.txt", "dev-requirements.txt", "constraints.txt"),
        *("requirements/base.txt", "robots.txt", "CMakeLists.txt", "ads.txt", "app-ads.txt"),
        *("LICENSE", "LICENSE.md", "LICENSE-MIT.txt", "LICENCE.txt", "license.txt", "COPYING"),
        *("main.js.LICENSE.txt", "NOTICE.txt", "UNLICENSE"),
    ],
)
def test_no_drafts(tmp_path: Path, name: str) -> None:
    write(tmp_path, name)
    found = search(tmp_path)
    assert (found.drafts, found.no_drafts, found.unknown) == ([], {tmp_path / name}, set())


@pytest.mark.parametrize(
    "name",
    ["license-guide.md", "our-requirements.md", "LICENSES-explained.md", "notices.md", "robots.md"],
)
def test_drafts_with_such_names(tmp_path: Path, name: str) -> None:
    write(tmp_path, name)
    assert names(tmp_path) == [name]


def test_what_git_ignores_is_left_out(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    write(tmp_path, "a.md", "tmp/b.md", "docs/c.md", "docs/tmp/d.md", "docs/keep/tmp/e.md", "f.txt")
    write(tmp_path, "own/g.md", "docs/h i.md", "x.draft.md")
    (tmp_path / ".gitignore").write_text("# none\n\n[z-a].md\ntmp/\n*.txt\n\\\n!*.md\n*.draft.md\n")
    (tmp_path / "docs/keep/.gitignore").write_bytes(b"\xef\xbb\xbf!tmp/\r\n")
    (tmp_path / "docs/.ignore").write_text("h i.md\n")
    (tmp_path / ".git/info/exclude").write_text("/own\n")
    kept = ["a.md", "docs/c.md", "docs/keep/tmp/e.md"]
    assert names(tmp_path) == kept
    assert names(tmp_path / "docs") == ["c.md", "keep/tmp/e.md"]
    listed = git(tmp_path, "ls-files", "--others", "--exclude-standard", "*.md").splitlines()
    assert sorted([*kept, "docs/h i.md"]) == sorted(listed)  # .ignore is not git's
    assert len(search(tmp_path, ignored=True).drafts) == 9
    # A folder that is named is searched, even if it is ignored itself.
    assert names(tmp_path / "tmp") == ["b.md"]


def test_no_rules_from_above_a_repository(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*\n")
    write(tmp_path, "project/a.md")
    assert names(tmp_path / "project") == ["a.md"]
    git(tmp_path / "project", "init", "-q")
    assert names(tmp_path / "project") == ["a.md"]


def test_an_ignore_file_that_takes_forever_to_match_does_not(tmp_path: Path) -> None:
    write(tmp_path, "a" * 120 + ".md")
    (tmp_path / ".gitignore").write_text("a*a*a*a*a*a*a*a*b\n" + "**/a/" * 30 + "b\n")
    assert len(names(tmp_path)) == 1


@pytest.mark.parametrize(
    ("glob", "found"),
    [
        ("*.md", ["a.md"]),
        ("**/*.md", ["a.md", "c/b.md", "c/d/e.md"]),
        ("c/**/*.md", ["c/b.md", "c/d/e.md"]),
        ("c/**", ["c/b.md", "c/d/e.md", "c/f.mdx"]),
        ("c/*", ["c/b.md", "c/d/e.md", "c/f.mdx"]),
        ("c/*.{md,mdx}", ["c/b.md", "c/f.mdx"]),
        ("{a,c/b}.md", ["a.md", "c/b.md"]),
        ("c/[!b].mdx", ["c/f.mdx"]),
        ("c/?.md", ["c/b.md"]),
        ("./c/../c/*.md", ["c/b.md"]),
        ("no/**/*.md", []),
        ("{{{{{{{a,b}}}}}}}", []),
    ],
)
def test_globs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, glob: str, found: list[str]
) -> None:
    write(tmp_path, "a.md", "c/b.md", "c/d/e.md", "c/f.mdx", "c/node_modules/g.md", "c/.h.md")
    monkeypatch.chdir(tmp_path)
    assert is_glob(glob)
    shown = [os.path.normpath(file) for file in search_glob(glob).drafts]
    assert shown == found
    if ".." not in glob:
        absolute = search_glob(f"{tmp_path}/{glob}").drafts
        assert [file.relative_to(tmp_path).as_posix() for file in absolute] == found


def test_a_file_may_be_called_like_a_glob(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "[id].md")
    monkeypatch.chdir(tmp_path)
    assert not is_glob("[id].md")


# --- reading -----------------------------------------------------------------------------------

WESTERN = "Le café est très cher, mais la crème brûlée est bonne. “Où êtes-vous allé ?”"
RUSSIAN = "Привет, мир. Это очень хороший текст о насосах, которые работают тихо."
POLISH = "Zażółć gęślą jaźń. Pompy pracują bardzo cicho i są dostępne w każdym sklepie."
JAPANESE = "これは日本語の文章です。ポンプは静かに動きます。一九九八年から販売しています。"


@pytest.mark.parametrize(
    ("text", "encoding", "named"),
    [
        ("Fine line.\nCafé\n", "latin-1", "Windows-1252"),
        (WESTERN, "cp1252", "Windows-1252"),
        ("It’s nine – “come in”. Résumés welcome.", "cp1252", "Windows-1252"),
        (POLISH, "cp1250", "Windows-1250"),
        (RUSSIAN, "cp1251", "Windows-1251"),
        (RUSSIAN, "koi8-r", "KOI8-R"),
        (JAPANESE, "shift-jis", "Shift JIS"),
        (WESTERN, "utf-16", "UTF-16"),
        (WESTERN, "utf-16-le", "UTF-16"),
        (WESTERN, "utf-16-be", "UTF-16"),
        (WESTERN, "utf-32", "UTF-32"),
    ],
)
def test_legacy_encodings_are_detected(text: str, encoding: str, named: str) -> None:
    read = decode_draft(text.encode(encoding), "a.txt", formats.get("text"), legacy=True)
    assert (read.text, read.encoding, read.has_mark) == (text, named, False)


@pytest.mark.parametrize(
    "raw",
    [
        "Ein Café, größer als zuvor: ".encode() + b"\xff",
        "Café".encode()[:-1] + " und Öl".encode(),
        b"Half \xed\xa0\xbd a pair.",
        bytes(range(256)) * 8,
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" * 9,
        b"\xff\xfe\0",
    ],
)
def test_damaged_text_and_binary_files_are_not_guessed_at(raw: bytes) -> None:
    with pytest.raises(OnbrandError, match=r"is not UTF-8|binary"):
        decode_draft(raw, "a.txt", formats.get("text"), legacy=True)


def test_other_encodings_are_detected_for_those_alone_who_tell_of_them() -> None:
    with pytest.raises(OnbrandError, match="is not UTF-8"):
        decode_draft(WESTERN.encode("cp1252"), "a.txt", formats.get("text"))


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    read = decode_draft(b"\xef\xbb\xbfHello.", "a.txt", formats.get("text"), legacy=True)
    assert read == ("Hello.", None, True)


@pytest.mark.parametrize(
    ("raw", "key"),
    [
        (b"-----BEGIN PRIVATE KEY-----\nMIIE\n", True),
        (b"\n-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ\n", True),
        (b"A key begins with\n-----BEGIN PRIVATE KEY-----\n", False),
        (b"-----BEGIN-----\n", False),
    ],
)
def test_key_blocks(raw: bytes, key: bool) -> None:
    assert is_key_block(raw) is key
