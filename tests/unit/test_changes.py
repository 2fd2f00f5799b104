"""What ``--diff`` compares, and which sentences of a draft that touches."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from git_samples import commit, git, new_repository, write
from hypothesis import given, settings
from hypothesis import strategies as st

from onbrand.changes import FileChange, Hunk, changes_since, read_patch, touched_sentences
from onbrand.document.document import parse
from onbrand.errors import OnbrandError

REST = "".join(f"Pump number {n} has run for {n} years.\n\n" for n in range(2, 12))
OLD = f"The shop opens at nine. Bring the old pump.\n\nWe mend it while you wait.\n\n{REST}"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository in which a branch has been left."""
    made = new_repository(tmp_path / "project", a_md=OLD, sub__b_md=OLD, same_md=OLD)
    git(made, "checkout", "-q", "-b", "topic")
    return made


def touched(folder: Path, name: str, base: str = "main") -> list[str]:
    change = changes_since(base, folder).of(folder / name)
    if change is None:
        return []
    document = parse((folder / name).read_bytes().decode("utf-8", "replace"))
    return [sentence.text for sentence in touched_sentences(document, change)]


def test_only_the_sentence_that_reads_otherwise_is_touched(project: Path) -> None:
    write(project, a_md=OLD.replace("the old pump", "any pump"))
    assert touched(project, "a.md") == ["Bring any pump."]
    commit(project)
    assert touched(project, "a.md") == ["Bring any pump."]
    assert touched(project, "same.md") == []
    assert touched(project / "sub", "b.md") == []


@pytest.mark.parametrize(
    "text",
    [
        "The shop opens\nat nine. Bring\nthe old pump.\n\nWe mend it while you wait.\n" + REST,
        "We mend it while you wait.\n\nThe shop opens at nine. Bring the old pump.\n" + REST,
        "The **shop** opens at nine. Bring the _old_ pump.\n\n- We mend it while you wait.\n",
        OLD.replace("\n", "\r\n"),
        "\n\n\n" + OLD,
    ],
    ids=["wrapped", "moved", "formatted", "line ends", "further down"],
)
def test_what_reads_as_before_is_not_touched(project: Path, text: str) -> None:
    write(project, a_md=text)
    assert touched(project, "a.md") == []


def test_a_second_copy_of_a_sentence_is_new(project: Path) -> None:
    write(project, a_md=OLD + "\nBring the old pump.\n")
    assert touched(project, "a.md") == ["Bring the old pump."]


def test_a_line_removed_within_a_sentence_touches_it(project: Path) -> None:
    write(project, a_md="We mend\nalmost everything\nwhile you wait.\n\nCome in.\n")
    git(project, "checkout", "-q", "main")
    commit(project)
    git(project, "checkout", "-q", "-b", "other")
    write(project, a_md="We mend\nwhile you wait.\n\nCome in.\n")
    assert touched(project, "a.md") == ["We mend while you wait."]


def test_new_renamed_and_unknown_files(project: Path) -> None:
    write(project, new_md="One line. Two lines.\n")
    assert touched(project, "new.md") == ["One line.", "Two lines."]
    git(project, "mv", "a.md", "moved.md")
    assert touched(project, "moved.md") == []
    text = OLD.replace("nine", "ten")
    write(project, moved_md=text)
    git(project, "add", "moved.md")
    assert touched(project, "moved.md") == ["The shop opens at ten."]
    write(project, _gitignore="")
    (project / ".gitignore").write_text("ignored.md\n")
    write(project, ignored_md="Nobody sees it.\n")
    assert touched(project, "ignored.md") == []


def test_changes_of_the_base_since_then_do_not_count(project: Path) -> None:
    write(project, a_md=OLD.replace("nine", "ten"))
    commit(project)
    git(project, "checkout", "-q", "main")
    write(project, same_md="Another text by now.\n")
    commit(project)
    git(project, "checkout", "-q", "topic")
    assert touched(project, "same.md") == []
    assert touched(project, "a.md") == ["The shop opens at ten."]


@pytest.mark.skipif(os.name != "posix", reason="names that Windows does not allow")
@pytest.mark.parametrize(
    "name",
    [
        b"a b.md",
        b"tab\there.md",
        b"new\nline.md",
        b'quote".md',
        b"back\\slash.md",
        b"\xff\xfe.md",
        "größe.md".encode(),
        b" lead and b/trail .md",
        b"-option.md",
        b"+++ b.md",
    ],
)
def test_names_that_git_quotes(project: Path, name: bytes) -> None:
    file = str(project / os.fsdecode(name))
    git(project, "checkout", "-q", "main")
    Path(file).parent.mkdir(exist_ok=True)
    Path(file).write_text(OLD)
    Path(file + ".docx.md").write_bytes(b"\0\1\2" * 50)
    commit(project)
    git(project, "checkout", "-q", "-b", "named")
    Path(file).write_text(OLD.replace("nine", "ten"))
    Path(file + ".docx.md").write_bytes(b"\0\1\3" * 50)
    assert touched(project, os.fsdecode(name)) == ["The shop opens at ten."]
    change = changes_since("main", project).of(file + ".docx.md")
    assert change is not None
    assert change.whole
    # Renamed from such a name to another one.
    new = "x " + os.fsdecode(name).replace("/", "")
    git(project, "mv", "--", os.fsdecode(name), new)
    git(project, "mv", "--", os.fsdecode(name) + ".docx.md", "y.docx.md")
    assert touched(project, new) == ["The shop opens at ten."]


def test_lines_of_a_draft_that_look_like_a_patch(project: Path) -> None:
    text = "-- a/x\n++ b/y.md\n@@ -1 +1 @@\n\ndiff --git a/z.md b/z.md\n\nA new line of text.\n"
    write(project, a_md=text, b_md="One.\n")
    git(project, "add", "-A")
    changes = changes_since("main", project)
    assert set(changes.files) == {"a.md", "b.md"}
    assert "A new line of text." in touched(project, "a.md")


@pytest.mark.parametrize(
    "setting",
    [
        "diff.noprefix=true",
        "diff.mnemonicPrefix=true",
        "color.ui=always",
        "color.diff=always",
        "diff.external=false",
        "core.quotePath=true",
        "diff.relative=true",
        "diff.context=9",
        "diff.interHunkContext=9",
        "diff.suppressBlankEmpty=true",
        "diff.renames=false",
        "core.fsmonitor=touch stolen",
        "diff.submodule=log",
        "core.autocrlf=true",
    ],
)
def test_settings_of_git_change_nothing(project: Path, setting: str) -> None:
    git(project, "mv", "a.md", "sub/größe.md")
    (project / "sub/größe.md").write_text(OLD.replace("nine", "ten"))
    git(project, "config", *setting.split("=", 1))
    assert touched(project / "sub", "größe.md") == ["The shop opens at ten."]
    assert not (project / "stolen").exists()


def test_commands_that_a_checkout_names_are_not_run(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / ".gitattributes").write_text("*.md diff=steal\n")
    git(project, "config", "diff.steal.command", "touch stolen")
    git(project, "config", "diff.steal.textconv", "touch stolen")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    write(project, a_md=OLD.replace("nine", "ten"))
    assert touched(project, "a.md") == ["The shop opens at ten."]
    assert not (project / "stolen").exists()


def test_submodules(project: Path, tmp_path: Path) -> None:
    module = new_repository(tmp_path / "module", a_md=OLD, b_md=OLD)
    git(project, "checkout", "-q", "main")
    git(project, "submodule", "--quiet", "add", module, "mod")
    commit(project)
    git(project, "checkout", "-q", "-b", "with-module")
    assert touched(project, "mod/a.md") == []
    write(project / "mod", a_md=OLD.replace("nine", "ten"))
    git(project / "mod", "checkout", "-q", "-b", "topic")
    commit(project / "mod")
    commit(project)
    assert touched(project, "mod/a.md") == ["The shop opens at ten."]
    assert touched(project, "mod/b.md") == []
    assert touched(project / "mod", "a.md") == ["The shop opens at ten."]  # the module's own main
    git(project, "submodule", "--quiet", "add", module, "fresh")
    assert len(touched(project, "fresh/a.md")) == 13


def test_a_text_in_git_lfs_is_compared_as_a_whole(project: Path) -> None:
    patch = (
        b"diff --git a/a.md b/a.md\n--- a/a.md\n+++ b/a.md\n@@ -2,2 +2,2 @@\n"
        b"-oid sha256:" + b"a" * 64 + b"\n-size 1\n+oid sha256:" + b"b" * 64 + b"\n+size 2\n"
    )
    files, _ = read_patch(patch)
    assert files["a.md"].whole


def test_links(project: Path, tmp_path: Path) -> None:
    (tmp_path / "outside.md").write_text(OLD)
    (project / "out.md").symlink_to(tmp_path / "outside.md")
    (project / "in.md").symlink_to("a.md")
    commit(project)
    git(project, "branch", "-f", "main")
    assert touched(project, "out.md") == touched(project, "in.md") == []
    write(project, a_md=OLD.replace("nine", "ten"))
    assert touched(project, "in.md") == ["The shop opens at ten."]
    (project / "fresh.md").symlink_to("same.md")
    assert len(touched(project, "fresh.md")) == 13
    with pytest.raises(OnbrandError, match="is not in the repository"):
        changes_since("main", project).of(tmp_path / "outside.md")


# --- what cannot be compared -------------------------------------------------------------------


@pytest.mark.parametrize(
    "base", ["no-such", "--output=stolen", "-", "", "a\0b", "HEAD:a.md", "@{9}"]
)
def test_a_base_that_is_no_commit(project: Path, base: str) -> None:
    with pytest.raises(OnbrandError, match="--diff: there is no commit") as caught:
        changes_since(base, project)
    assert "\n" not in str(caught.value)
    assert not (project / "stolen").exists()


def test_no_repository(tmp_path: Path) -> None:
    with pytest.raises(OnbrandError, match="compares files of a git repository; .* is in none"):
        changes_since("main", tmp_path)


def test_no_git(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(project))
    with pytest.raises(OnbrandError, match="needs git, which is not on the PATH"):
        changes_since("main", project)


def test_a_clone_that_ends_too_early(project: Path, tmp_path: Path) -> None:
    for number in range(3):
        write(project, a_md=f"{OLD}\nLine {number}.\n")
        commit(project)
    git(project, "checkout", "-q", "main")
    write(project, same_md="Other.\n")
    commit(project)
    git(tmp_path, "clone", "-q", "--depth=1", "--no-single-branch", project.as_uri(), "clone")
    git(tmp_path / "clone", "checkout", "-q", "topic")
    with pytest.raises(OnbrandError, match=r"fetch more history: .*fetch-depth: 0"):
        changes_since("origin/main", tmp_path / "clone")
    with pytest.raises(OnbrandError, match=r"no commit 'gone' .*fetch-depth: 0"):
        changes_since("gone", tmp_path / "clone")


def test_nothing_is_committed_yet(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    write(tmp_path, a_md="One line.\n", b_md="Another.\n")
    git(tmp_path, "add", "a.md")
    assert touched(tmp_path, "a.md", "HEAD") == ["One line."]
    assert touched(tmp_path, "b.md", "HEAD") == ["Another."]


def test_histories_that_never_meet_and_merge_conflicts(project: Path) -> None:
    git(project, "checkout", "-q", "--orphan", "alone")
    commit(project)
    write(project, a_md=OLD.replace("nine", "ten"))
    assert touched(project, "a.md") == ["The shop opens at ten."]
    git(project, "checkout", "-q", "-f", "topic")
    write(project, a_md=OLD.replace("nine", "ten"))
    commit(project)
    git(project, "checkout", "-q", "-b", "rival", "main")
    write(project, a_md=OLD.replace("nine", "eight"))
    commit(project)
    with pytest.raises(Exception, match="merge"):
        git(project, "merge", "topic")
    assert "The shop opens at ten." in touched(project, "a.md")  # between the marks of a conflict


# --- any text ----------------------------------------------------------------------------------

LINES = st.lists(
    st.sampled_from(["", "One line of text.", "Two. Three.", "and more", "- item", "\r", "x\r"]),
    max_size=12,
)


@given(LINES, LINES, st.integers(0, 2**32))
@settings(max_examples=200)
def test_a_change_can_be_undone_and_touches_nothing_that_was_there(
    before: list[str], after: list[str], seed: int
) -> None:
    import difflib

    hunks = [
        Hunk(new, new_end - new, tuple(line.encode() for line in before[old:old_end]))
        for kind, old, old_end, new, new_end in difflib.SequenceMatcher(
            None, before, after, autojunk=False
        ).get_opcodes()
        if kind != "equal"
    ]
    document = parse("\n".join(after))
    found = [s.text for s in touched_sentences(document, FileChange(hunks))]
    known = [s.text for s in parse("\n".join(before)).sentences]
    every = [s.text for s in document.sentences]
    for text in set(every):
        assert found.count(text) <= max(0, every.count(text) - known.count(text))
    if sorted(before) == sorted(after) and before == after:
        assert found == []


@given(st.binary(max_size=200), st.integers(0, 2**32))
def test_no_patch_crashes(raw: bytes, seed: int) -> None:
    parts = [
        b"diff --git a/x b/x\n", b"+++ b/x\n", b"@@ -1,2 +3 @@\n", b"-a\n", b"+b\n", b" c\n", raw,
        b'+++ "b/\\303\\t"\n', b"Binary files a/x and b/x differ\n", b"* Unmerged path y\n",
        b"Submodule m 1234..5678 (commits not present)\n", b"rename to z\n", b"\\ No newline\n",
    ]  # fmt: skip
    random.Random(seed).shuffle(parts)
    read_patch(b"".join(parts))
