"""``onbrand check`` and ``gate`` of whole trees: what is left out, told, and stops nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_runner import OFF_BRAND, Run, error_of, run
from git_samples import git
from jsonschema import Draft7Validator
from test_cli_formats import SARIF_SCHEMA

GOOD = "Hello. Do sit down, carton. Nobody here bites, except Keith at breakfast!\n"


@pytest.fixture
def project(tmp_path: Path, example_voices: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that judges as oatfolk, the working folder of the test."""
    (tmp_path / "onbrand.toml").write_text(
        f'root = true\nbrand = "oatfolk"\nvoices = ["{example_voices}"]\n'
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, **files: str | bytes) -> None:
    for name, text in files.items():
        file = folder / name.replace("__", "/").replace("_md", ".md")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())


def judged(done: Run) -> list[str]:
    return [file["path"] for file in done.json()["files"]]


# One bad file does not stop the tree.


def test_bad_files_are_told_in_a_line_each_and_the_rest_is_judged(project: Path) -> None:
    write(project, good_md=GOOD, large_md=b"We love oats.\n" * 400_000, binary_md=b"\0\1\2" * 99)
    write(project, shop_md=f"---\nbrand: Nike\n---\n{OFF_BRAND}\n")
    write(project, damaged_md="é".encode() + b"\xff")
    write(project, comment_md=f"{GOOD}\n<!-- onbrand brand=acne -->\n\n{OFF_BRAND}\n")
    (project / "memory.md").symlink_to("/proc/self/mem")
    done = run("check", ".", "gone.md", "--format", "json", "-o", "out.json")
    assert done.code == 2
    lines = done.err.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        ["error", "binary.md"],
        ["error", "damaged.md:1"],
        ["error", "large.md"],
        ["error", "memory.md"],
        ["error", "gone.md"],
        ["error", "comment.md:5"],
        ["error", "shop.md"],
    ]
    assert "no voice for brand 'Nike'" in lines[-1]
    found = json.loads((project / "out.json").read_text())
    assert [file["path"] for file in found["files"]] == ["good.md"]
    assert [error["path"] for error in found["errors"]] == [
        line.split(": ")[1].split(":")[0] for line in lines
    ]
    assert found["errors"][1]["line"] == 1


def test_formats_for_machines_have_the_bad_files(project: Path) -> None:
    write(project, good_md=GOOD, bad_md=b"\0\1\2" * 99)
    for form, place in (
        ("github", "::error file=bad.md,line=1,title=Not judged::looks like a binary file"),
        ("sarif", '"executionSuccessful": false'),
        ("junit", 'errors="1"'),
        ("rdjson", '"severity": "ERROR"'),
        ("gitlab", '"severity": "critical"'),
        ("vale", '"Severity": "error"'),
        ("markdown", "- **bad.md**: looks like a binary file"),
    ):
        done = run("check", ".", "--format", form)
        assert (done.code, place in done.out) == (2, True), done.out
    sarif = run("check", ".", "--format", "sarif").json()
    Draft7Validator(json.loads(SARIF_SCHEMA.read_text("utf-8"))).validate(sarif)
    text = run("check", ".").out
    assert text.endswith("1 forward; 0 off-brand sentences; 1 file could not be judged.\n")


def test_where_nothing_can_be_judged_nothing_is_written(project: Path) -> None:
    write(project, a_md=b"\0\1\2" * 99, b_md=b"\0\1\2" * 99)
    done = run("check", "a.md", "b.md", "-o", "out.txt")
    assert (done.code, len(done.err.splitlines())) == (2, 2)
    assert not (project / "out.txt").exists()
    assert error_of(run("check", "a.md")).startswith("a.md: looks like a binary file")


def test_a_broken_configuration_below_is_one_error(project: Path) -> None:
    write(project, good_md=GOOD, sub__a_md=GOOD, sub__b_md=GOOD)
    (project / "sub/onbrand.toml").write_text("brnd = 1\n")
    done = run("check", ".", "--format", "json")
    assert (done.code, judged(done)) == (2, ["good.md"])
    (line,) = done.err.splitlines()
    assert line.startswith(f"error: {project}/sub/onbrand.toml:1: unknown key")


def test_the_key_that_names_the_brand_can_be_another(project: Path) -> None:
    write(project, shop_md=f"---\nbrand: Nike\nvoice: quillpot\n---\n{GOOD}")
    with (project / "onbrand.toml").open("a") as config:
        config.write('brand_key = "voice"\n')
    done = run("check", ".", "--format", "json", "--exit", "never")
    assert (done.code, done.json()["files"][0]["brand"]) == (0, "quillpot")


def test_legacy_encodings_are_read_and_told(project: Path) -> None:
    text = f"{GOOD}\nLe café est très cher, mais la crème brûlée est bonne.\n"
    write(project, old_md=text.encode("cp1252"), good_md=GOOD)
    done = run("check", ".", "--format", "json")
    assert (done.code, judged(done)) == (0, ["good.md", "old.md"])
    told = "is not UTF-8, and was read as Windows-1252, which it looks like; save it as UTF-8"
    assert done.err == f"warning: old.md: {told}\n"
    assert "crème brûlée" in done.json()["files"][1]["sentences"][-1]["text"]


# What is no draft.


def test_ignored_files_and_no_drafts(project: Path) -> None:
    git(project, "init", "-q")
    write(project, a_md=GOOD, tmp__b_md=GOOD, node_modules__c_md=GOOD, build__d_md=GOOD)
    (project / "key.txt").write_text("-----BEGIN PRIVATE KEY-----\nMIIE\n")
    (project / "requirements.txt").write_text("numpy==2.0\n")
    (project / ".gitignore").write_text("tmp/\n")
    done = run("check", ".", "--format", "json")
    assert (judged(done), done.json()["no_drafts"], done.err) == (["a.md"], 2, "")
    assert judged(run("check", ".", "--no-ignore", "--format", "json")) == ["a.md", "tmp/b.md"]
    assert judged(run("check", "tmp", "build/d.md", "--format", "json")) == [
        "tmp/b.md",
        "build/d.md",
    ]
    named = run("check", "a.md", "requirements.txt", "key.txt", "--format", "json")
    assert judged(named) == ["a.md"]
    assert named.err == (
        "warning: requirements.txt: not judged; it is no draft by its name (--read-as text judges "
        "it)\nwarning: key.txt: not judged; it holds a key (--read-as text judges it)\n"
    )
    forced = run("check", "requirements.txt", "--read-as", "text", "--format", "json")
    assert judged(forced) == ["requirements.txt"]


def test_quoted_globs(project: Path) -> None:
    write(project, a_md=GOOD, content__b_md=GOOD, content__deep__c_md=GOOD)
    done = run("check", "content/**/*.md", "*.md", "--format", "json")
    assert judged(done) == ["content/b.md", "content/deep/c.md", "a.md"]
    assert error_of(run("check", "no/*.md")).startswith("no/*.md: matches no drafts (files that")


def test_what_is_not_judged_is_counted(project: Path) -> None:
    code = "```\n" + "x = 1\n" * 100 + "```\n"
    write(project, a_md=f"---\ntitle: A\n---\n{GOOD}\n{code}\n> {'Quoted words. ' * 30}\n")
    done = run("check", "a.md", "--format", "json")
    (file,) = done.json()["files"]
    assert set(file["skipped"]) == {"front matter", "code", "quotes"}
    assert done.json()["skipped"] == file["skipped"]
    assert 600 <= file["skipped"]["code"] <= len(code)
    assert done.err.startswith("note: 9")
    assert "of code" in done.err and "of quotes" in done.err
    assert run("check", "a.md", "--quiet").err == ""
    write(project, b_md=GOOD)
    assert run("check", "b.md").err == ""


# What is printed.


def test_of_many_clean_drafts_there_is_a_summary_alone(project: Path) -> None:
    for number in range(60):
        write(project, **{f"drafts__{number}_md": GOOD})
    write(project, drafts__empty_md="")
    done = run("check", ".")
    assert (done.code, done.out, done.err) == (
        0,
        "61 drafts: 60 forward, 1 not judged; 0 off-brand sentences.\n",
        "",
    )
    assert run("check", ".", "-q").out == ""
    write(project, drafts__bad_md=f"{OFF_BRAND}\n")
    done = run("check", ".", "-q")
    assert done.code == 1
    assert done.out.startswith("drafts/bad.md:1:1: reads like corporate-speak")
    assert "forward" not in done.out and "Review" not in done.out


def test_gate_takes_several_files_and_folders(project: Path) -> None:
    write(project, a_md=GOOD, b_md=GOOD, sub__c_md=f"{OFF_BRAND}\n")
    done = run("gate", "a.md", "b.md")
    assert (done.code, done.out) == (0, "2 drafts: 2 forward.\n")
    done = run("gate", "sub", "*.md")
    assert done.code == 1
    review, total = done.out.splitlines()
    assert review.startswith("sub/c.md: Review: 1 of 1 sentence off-brand")
    assert total == "3 drafts: 2 forward, 1 review."
    done = run("gate", "a.md", "gone.md")
    assert (done.code, done.err) == (2, "error: gone.md: no such file; check the path\n")


def test_short_help(project: Path) -> None:
    for command in (["check"], ["gate"], ["voices", "show"], []):
        done = run(*command, "-h")
        assert (done.code, done.out) == (0, run(*command, "--help").out)


def test_paths_are_relative_to_the_repository(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(project, "init", "-q")
    write(project, content__bad_md=f"{OFF_BRAND}\n")
    for place, name in (
        (project, "content/bad.md"),
        (project / "content", "bad.md"),
        (project.parent, f"{project.name}/content/bad.md"),
        (Path("/"), f"{project}/content/bad.md"),
    ):
        monkeypatch.chdir(place)
        run_ = run("check", name, "--format", "sarif").json()["runs"][0]
        artifact = run_["artifacts"][0]["location"]
        assert artifact == {"uri": "content/bad.md", "uriBaseId": "%SRCROOT%"}
        assert "file=content/bad.md," in run("check", name, "--format", "github").out
        assert '"path": "content/bad.md"' in run("check", name, "--format", "gitlab").out
        assert list(run("check", name, "--format", "vale").json()) == [name]


# What exits with 1.


@pytest.mark.parametrize(
    ("text", "policy", "code"),
    [
        (OFF_BRAND, None, 1),
        (OFF_BRAND, "never", 0),
        (f"{GOOD}\n" * 12 + OFF_BRAND, None, 0),  # it goes forward
        (f"{GOOD}\n" * 12 + OFF_BRAND, "any", 1),
        (GOOD, "any", 0),
    ],
)
def test_exit_policies(project: Path, text: str, policy: str | None, code: int) -> None:
    write(project, a_md=text)
    assert run("check", "a.md", *(["--exit", policy] if policy else [])).code == code
    with (project / "onbrand.toml").open("a") as config:
        config.write(f'exit = "{policy or "review"}"\n')
    assert run("check", "a.md").code == code
    assert run("check", "a.md", "--exit", "never").code == 0


def test_known_findings_do_not_fail_and_new_warnings_do(project: Path) -> None:
    write(project, a_md=f"{OFF_BRAND}\n")
    run("check", "a.md", "--baseline", "known.json", "--update-baseline")
    assert run("check", "a.md", "--baseline", "known.json").code == 0  # a review, and known
    write(
        project,
        a_md=f"{GOOD}\n" * 12
        + f"{OFF_BRAND}\n\nOur portfolio maximises shareholder value in every category.\n",
    )
    done = run("check", "a.md", "--baseline", "known.json", "--format", "json")
    assert (done.code, done.json()["files"][0]["verdict"]) == (1, "forward")
