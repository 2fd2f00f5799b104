"""``onbrand check --diff``: only what a change touches, in real repositories."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_runner import OFF_BRAND, error_of, run
from git_samples import commit, git, new_repository, write
from jsonschema import Draft202012Validator
from test_cli_formats import REPORT

GOOD = "Hello. Do sit down, carton. Nobody here bites, except Keith at breakfast!\n"
OLD = f"{GOOD}\n" * 12 + f"{OFF_BRAND}\n"
NEW = "Our portfolio maximises shareholder value in every category."


@pytest.fixture
def project(tmp_path: Path, example_voices: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with an old finding in each of two drafts; the working folder of the test."""
    folder = new_repository(tmp_path / "project", a_md=OLD, sub__b_md=OLD)
    (folder / "onbrand.toml").write_text(
        f'root = true\nbrand = "oatfolk"\nvoices = ["{example_voices}"]\n'
    )
    commit(folder)
    git(folder, "checkout", "-q", "-b", "topic")
    monkeypatch.chdir(folder)
    return folder


def flagged(*arguments: str, code: int) -> list[tuple[str, str]]:
    done = run("check", "--diff", "main", "--format", "json", *arguments)
    assert (done.code, done.err) == (code, "")
    Draft202012Validator(REPORT).validate(done.json())
    files = done.json()["files"]
    return [(f["path"], s["text"]) for f in files for s in f["sentences"] if s["flagged"]]


def test_old_findings_are_not_reported(project: Path) -> None:
    assert flagged(code=0) == []
    write(project, a_md=f"{OLD}\n{NEW}\n")
    assert flagged(code=1) == [("a.md", NEW)]
    assert flagged("--exit", "never", code=0) == [("a.md", NEW)]
    assert flagged("sub", code=0) == []
    done = run("check", "--diff", "main")
    assert done.out.splitlines()[-1] == (
        "1 draft: 1 forward (1 to be mended); 1 off-brand sentence that differs from main "
        "(1 elsewhere); 1 draft without a change not judged."
    )
    diff = run("check", "--diff", "main", "--format", "json").json()["diff"]
    head = git(project, "rev-parse", "main")
    assert diff == {"base": "main", "commit": head, "unchanged": 1, "elsewhere": 1}


def test_an_innocent_edit_reports_nothing(project: Path) -> None:
    write(project, a_md=OLD.replace("Keith", "Kevin", 1))
    assert flagged(code=0) == []


def test_new_drafts_are_reported_as_a_whole(project: Path) -> None:
    write(project, sub__new_md=f"{OFF_BRAND} {NEW}\n")
    assert flagged(code=1) == [("sub/new.md", OFF_BRAND), ("sub/new.md", NEW)]


def test_unchanged_drafts_are_neither_read_nor_encoded(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from onbrand.encoder import Encoder

    write(project, a_md=OLD.replace("Keith", "Kevin", 1))
    (project / "sub/b.md").chmod(0)  # root could read it all the same
    encode, seen = Encoder.encode, []

    def noted(self: Encoder, texts, **options):
        seen.extend(texts)
        return encode(self, texts, **options)

    monkeypatch.setattr(Encoder, "encode", noted)
    flagged(code=0)
    assert any("Kevin" in text for text in seen)
    assert len(set(seen)) <= 5  # the different sentences of a.md
    seen.clear()
    git(project, "checkout", "-q", "a.md")
    assert flagged(code=0) == [] and seen == []


def test_a_baseline_holds_beside_it(project: Path) -> None:
    write(project, a_md=f"{OLD}\n{NEW}\n")
    run("check", ".", "--baseline", "../known.json", "--update-baseline")
    assert flagged("--baseline", "../known.json", code=0) == []


@pytest.mark.parametrize(
    ("form", "shown"),
    [
        ("text", "a.md:27:1: reads like corporate-speak"),
        ("github", "::warning file=a.md,line=27,"),
        ("rdjson", '"line": 27'),
        ("gitlab", '"begin": 27'),
        ("vale", '"Line": 27'),
        (
            "markdown",
            f"- **a.md**, line 27: “{NEW}”<br>",
        ),
        ("sarif", '"startLine": 27'),
        ("junit", 'name="Our portfolio maximises shareholder value in every category."'),
    ],
)
def test_every_format_has_the_new_finding_alone(project: Path, form: str, shown: str) -> None:
    write(project, a_md=f"{OLD}\n{NEW}\n")
    done = run("check", "--diff", "main", "--format", form)
    assert done.code == 1
    assert shown in done.out
    assert "best-in-class" not in done.out.replace("nearest", "")


def test_a_summary_beside_another_format(project: Path) -> None:
    write(project, a_md=f"{OLD}\n{NEW}\n")
    done = run("check", "--diff", "main", "--format", "github", "--summary", "../sum.md")
    assert done.out.startswith("::warning file=a.md,")
    assert (project / "../sum.md").read_text() == run(
        "check", "--diff", "main", "--format", "markdown"
    ).out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--diff", "--output=x"], "--diff: there is no commit '--output=x'"),
        (["--diff", "gone"], "--diff: there is no commit 'gone'"),
        (["--diff", "main", "-"], "--diff compares files; name some"),
        (
            ["--diff", "main", "--baseline", "k.json", "--update-baseline"],
            "--update-baseline needs --baseline FILE to write to, and no --diff",
        ),
        (["--diff", "main", "gone.md"], "gone.md: no such file"),
    ],
)
def test_what_cannot_be_compared(project: Path, arguments: list[str], message: str) -> None:
    assert error_of(run("check", *arguments)).startswith(message)


def test_outside_of_a_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    message = error_of(run("check", "--diff", "main"))
    assert message.startswith("--diff compares files of a git repository; ")
