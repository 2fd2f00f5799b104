"""``onbrand check`` and ``onbrand gate`` on the example drafts."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from cli_runner import DRAFTS, OATFOLK_DRAFT, OFF_BRAND, error_of, run, tree
from slack_documents import written

from onbrand.document import formats

PLANTED = {
    "oatfolk-launch.md": [
        "Oatfolk Chocolate represents a significant expansion",
        "Consumers with known sensitivities should consult",
        "Surrender to a silken embrace of pure cocoa bliss",
        "For information on availability and minimum order",
        "We are truly humbled by your incredible support",
    ],
    "quillpot-tax-season.md": [
        "Quillpot harnesses real-time income intelligence",
        "All supporting documentation must be retained",
        "If it all feels like too much, place a hand on your heart",
        "Get ready to absolutely smash your tax bill",
        "Please note that payments made after the cut-off time",
    ],
    "varnholt-service-bulletin.md": [
        "With this exciting upgrade, everyone else can enjoy",
        "Moving forward, this enhancement underlines",
        "It should be noted that due consideration must be given",
        "Honestly, it's a five-minute job, so pop the kettle on",
        "Notwithstanding the above, the Supplier accepts no liability",
    ],
}
"""The sentences that were written in another voice, by draft."""
MOST_MISSED = 1
"""Planted sentences of a draft that may lie just above the threshold: mild ones do."""
MOST_OTHERS = 4
"""Flagged sentences of a draft that nobody planted: the budget is one in twenty, of some forty."""


@pytest.fixture(scope="module")
def checked(example_voices: Path) -> dict[str, Any]:
    """The three example drafts, checked with JSON output, by file name."""
    done = run("check", DRAFTS, "--voices", example_voices, "--format", "json")
    assert (done.code, done.err) == (0, "")  # they go forward, with sentences to mend
    return {Path(file["path"]).name: file for file in done.json()["files"]}


@pytest.fixture
def project(tmp_path: Path, example_voices: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that judges as oatfolk, the working folder of the test."""
    (tmp_path / "onbrand.toml").write_text(
        f'root = true\nbrand = "oatfolk"\nvoices = ["{example_voices}"]\n'
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("draft", PLANTED)
def test_the_planted_sentences_are_flagged_and_few_others(
    checked: dict[str, Any], draft: str
) -> None:
    flagged = [s["text"] for s in checked[draft]["sentences"] if s["flagged"]]
    missed = [text for text in PLANTED[draft] if not any(text in f for f in flagged)]
    others = [text for text in flagged if not any(p in text for p in PLANTED[draft])]
    assert len(missed) <= MOST_MISSED, missed
    assert len(others) <= MOST_OTHERS, others


@pytest.mark.parametrize("draft", PLANTED)
def test_spans_slice_the_file(checked: dict[str, Any], draft: str) -> None:
    # Bytes, as reading text would change line ends.
    source = (DRAFTS / draft).read_bytes().decode("utf-8")
    lines = source.split("\n")
    plain = 0
    for sentence in checked[draft]["sentences"]:
        written = source[sentence["start"] : sentence["end"]]
        assert lines[sentence["line"] - 1][sentence["column"] - 1 :].startswith(written[:20])
        if not set("*_`[]<>&\\") & set(written):  # no markup, so what was judged stands there
            assert " ".join(written.split()) == sentence["text"]
            plain += 1
        for word in sentence["words"]:
            assert sentence["start"] <= word["start"] < word["end"] <= sentence["end"]
            assert source[word["start"] : word["end"]] == word["text"]
    assert plain > 20


def test_text_shows_each_finding_underlined_and_why(example_voices: Path) -> None:
    done = run("check", OATFOLK_DRAFT, "--voices", example_voices, "--exit", "any")
    assert (done.code, done.err) == (1, "")
    head = r"reads like [a-z -]+; oatfolk’s copy hardly ever does \(P <0\.01\)"
    assert re.search(rf"(?m)^{OATFOLK_DRAFT}:21:1: {head}$", done.out)
    assert re.search(r"\n 21 \| Consumers with .*\n +\| [~^]+\n", done.out)
    assert re.search(r"= words: “\w+”, .*”\n", done.out)
    assert re.search(r"= habit: .*; oatfolk ", done.out)
    assert re.search(r"= nearest on-brand line: “.+[”…]\n", done.out)
    assert re.search(r"\d+ of \d+ sentences off-brand, \d+ not judged", done.out.splitlines()[-1])
    assert "\x1b" not in done.out


def test_text_fits_the_terminal(example_voices: Path) -> None:
    done = run("check", "-", "--voices", example_voices, stdin=OATFOLK_DRAFT.read_bytes())
    *findings, verdict = done.out.splitlines()
    # A headline is as long as its path, and is read by programs, too.
    rows = [line for line in findings if not line.startswith("stdin.md:")]
    assert 0 < max(map(len, rows)) <= 80
    assert verdict.startswith("stdin.md: ")


# Where drafts come from.


def test_standard_input_takes_format_and_settings_from_its_path(project: Path) -> None:
    (project / "onbrand.toml").write_text(
        (project / "onbrand.toml").read_text() + '[[paths]]\nglob = "docs/**"\nbrand = "quillpot"\n'
    )
    source = f"<p>{OFF_BRAND}</p><pre>{OFF_BRAND}</pre>".encode()
    done = run("check", "-", "--stdin-path", "docs/a.html", "--format", "json", stdin=source)
    (file,) = done.json()["files"]
    assert (file["path"], file["brand"]) == ("docs/a.html", "quillpot")
    assert [s["start"] for s in file["sentences"]] == [3]
    done = run("check", "--format", "json", stdin=OFF_BRAND.encode())
    (file,) = done.json()["files"]
    assert (file["path"], file["brand"]) == ("stdin.md", "oatfolk")


def test_a_format_that_the_name_does_not_say_has_to_be_said(project: Path) -> None:
    (project / "draft.textile").write_text(OFF_BRAND)
    done = run("check", "draft.textile")
    assert error_of(done) == (
        f"draft.textile: is in no format that onbrand reads ({', '.join(formats.suffixes())}); "
        "say how to read it, as in --read-as text"
    )
    for command in ("check", "gate"):
        assert run(command, "draft.textile", "--read-as", "text").code == 1
    done = run("check", "draft.textile", "--read-as", "textile")
    known = ", ".join(formats.FORMATS)
    assert error_of(done) == f"'textile' is no format of drafts; expected {known}"
    warning = "warning: a.textile: its name does not say its format, so it was read as plain text\n"
    told = ["check", "-", "--stdin-path", "a.textile", "--format", "json"]
    assert (run(*told, stdin=OFF_BRAND.encode()).code, run(*told).err) == (1, warning)
    assert run(*told, "--read-as", "markdown").err == ""


def test_a_word_document_is_judged_paragraph_by_paragraph(project: Path) -> None:
    (project / "draft.docx").write_bytes(written("Launch", "", f"Hello.\n{OFF_BRAND}"))
    for arguments, data in (
        (["draft.docx"], b""),
        (
            ["-", "--stdin-path", "a.docx"],
            (project / "draft.docx").read_bytes(),
        ),
    ):
        done = run("check", *arguments, "--format", "json", stdin=data)
        (file,) = done.json()["files"]
        (flagged,) = [one for one in file["sentences"] if one["flagged"]]
        assert (flagged["line"], flagged["column"], flagged["text"]) == (3, 8, OFF_BRAND)
    text = run("check", "draft.docx").out
    assert "draft.docx:3:8" in text and "\u2028" not in text
    (project / "bad.docx").write_bytes(b"PK\x03\x04")
    assert error_of(run("check", "bad.docx")).startswith("bad.docx: is a damaged Word document;")


def test_no_files_at_a_terminal_asks_for_some(project: Path) -> None:
    assert error_of(run("check", terminal=True)).startswith("nothing to check; name drafts")


def test_long_work_shows_a_progress_bar_at_a_terminal(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "draft.md").write_text(OFF_BRAND)
    assert run("check", "draft.md", terminal=True).err == ""  # done before it could be read
    monkeypatch.setattr("onbrand_cli.common.PROGRESS_AFTER", 0.0)
    assert "Judging draft.md" in run("check", "draft.md", terminal=True).err
    assert run("check", "draft.md").err == ""


def test_folders_give_their_drafts_and_leave_out_what_is_excluded(project: Path) -> None:
    for name in ("a.md", "deep/b.MDX", "deep/c.txt", "deep/d.py", ".git/e.md", "old/f.md"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text("Carry it home, then put the kettle on.\n")
    with (project / "onbrand.toml").open("a") as config:
        config.write('exclude = ["old/"]\n')
    done = run("check", ".", "a.md", "--format", "json")
    assert [f["path"] for f in done.json()["files"]] == ["a.md", "deep/b.MDX", "deep/c.txt"]
    assert done.json()["left_out"] == {".py": 1}
    assert done.err == "note: 1 file left out, in no format that onbrand reads: 1 .py\n"
    named = run("check", "old/f.md")
    assert (named.code, named.out) == (0, "0 drafts; 0 off-brand sentences.\n")
    assert named.err == f"warning: old/f.md: not judged; {project}/onbrand.toml excludes it\n"
    (project / "bare").mkdir()
    assert error_of(run("check", "bare")).startswith(
        "bare: holds no drafts (files that end in .txt"
    )


# Who decides on brand, gate and threshold.


@pytest.mark.parametrize(
    ("option", "matter", "comment", "wanted"),
    [
        ([], "", "", "oatfolk"),
        ([], "---\nbrand: quillpot\n---\n", "", "quillpot"),
        ([], "", "<!-- onbrand brand=varnholt-pumps -->\n\n", "varnholt-pumps"),
        (["-b", "tallowgate-museum"], "---\nbrand: quillpot\n---\n", "", "tallowgate-museum"),
    ],
)
def test_precedence_of_brands(
    project: Path, option: list[str], matter: str, comment: str, wanted: str
) -> None:
    (project / "draft.md").write_text(matter + comment + OFF_BRAND)
    done = run("check", "draft.md", "--format", "json", *option)
    assert [s["brand"] for s in done.json()["files"][0]["sentences"]] == [wanted]


def test_thresholds_and_gates_of_the_configuration(project: Path) -> None:
    source = OATFOLK_DRAFT.read_text(encoding="utf-8")
    (project / "draft.md").write_text(source, encoding="utf-8")
    base = (project / "onbrand.toml").read_text()
    (project / "onbrand.toml").write_text(base + "threshold = 0.0\ngate = 0.0\n")
    done = run("check", "draft.md", "--format", "json")
    assert done.code == 0
    assert done.json()["files"][0]["gate"] == 0.0
    assert run("gate", "draft.md").code == 0
    assert run("gate", "draft.md", "--gate", "1").code == 1
    (project / "onbrand.toml").write_text(base + "threshold = 1.0\ngate = 1.0\n")
    done = run("check", "draft.md", "--format", "json")
    judged = [s for s in done.json()["files"][0]["sentences"] if s["probability"] is not None]
    assert all(s["flagged"] for s in judged)
    assert done.json()["files"][0]["verdict"] == "review"
    other = project / "other.toml"
    other.write_text(base + "threshold = 0.0\n")
    assert run("check", "draft.md", "--config", other).code == 0


def test_which_brand_is_asked_when_nothing_says(example_voices: Path, tmp_path: Path) -> None:
    draft = tmp_path / "draft.md"
    draft.write_text(OFF_BRAND)
    message = error_of(run("check", draft, "--voices", example_voices))
    assert message.startswith(f"{draft}: which brand? Say --brand")
    # A voice's own folder is enough, and leaves one brand to choose from.
    assert run("check", draft, "--voices", example_voices / "oatfolk").code == 1


def test_gate_forwards_and_holds_back(example_voices: Path, tmp_path: Path) -> None:
    good = tmp_path / "good.md"
    good.write_text("Hello. Do sit down, carton. Nobody here bites, except Keith at breakfast!\n")
    done = run("gate", good, "--voices", example_voices, "-b", "oatfolk")
    assert (done.code, done.err) == (0, "")
    assert re.fullmatch(
        rf"{good}: Forward: .*; P 0\.\d+ for oatfolk, the gate is 0\.70\.\n", done.out
    )
    bad = tmp_path / "bad.md"
    bad.write_text(f"{OFF_BRAND} Our portfolio maximises shareholder value in every category.\n")
    done = run("gate", bad, "--voices", example_voices, "-b", "oatfolk")
    assert (done.code, done.err) == (1, "")
    assert re.fullmatch(rf"{bad}: Review: .*; P .*, below the gate of 0\.70\.\n", done.out)
    bad.write_text("")
    done = run("gate", bad, "--voices", example_voices, "-b", "oatfolk")
    assert (done.code, done.out) == (1, f"{bad}: Not judged: no sentence to judge.\n")
    done = run("gate", tmp_path, good, "--voices", example_voices, "-b", "oatfolk")
    assert (done.code, done.out.splitlines()) == (
        1,
        [
            f"{bad}: Not judged: no sentence to judge.",
            "2 drafts: 1 forward, 1 not judged.",
        ],
    )
    assert run("gate", bad, "--voices", example_voices, "-b", "oatfolk", "--quiet").out == ""


def test_a_draft_with_foreign_sentences_goes_forward_with_a_word(
    project: Path, example_voices: Path
) -> None:
    source = OATFOLK_DRAFT.read_text(encoding="utf-8")
    (project / "draft.md").write_text(source, encoding="utf-8")
    lines = source.splitlines()
    starts = PLANTED[OATFOLK_DRAFT.name]
    planted = {n for n, line in enumerate(lines, 1) if any(start in line for start in starts)}
    (found,) = run("check", "draft.md", "--format", "json").json()["files"]
    worst = [found["sentences"][index] for index in found["mend"]]
    assert all(sentence["flagged"] and sentence["foreign"] > 0.5 for sentence in worst)
    figures = [sentence["probability"] for sentence in worst]
    assert figures == sorted(figures)
    assert len(planted - {sentence["line"] for sentence in worst}) <= MOST_MISSED
    judged = sum(sentence["probability"] is not None for sentence in found["sentences"])
    assert found["gate"] < found["probability"] <= 1 - len(worst) / judged + 0.03
    done = run("gate", "draft.md")
    assert done.code == 0
    head = rf"draft\.md: Forward, but mend {len(worst)} sentences \(lines \d+, .*\): \d"
    assert re.match(head + r".*; P 0\.[78]\d for ", done.out)
    # Findings that are known are no news, and mended ones are gone.
    run("check", "draft.md", "--baseline", "known.json", "--update-baseline")
    known = run("check", "draft.md", "--baseline", "known.json", "--format", "json")
    assert known.json()["files"][0]["mend"] == []
    wrong = {sentence["line"] for sentence in worst} | planted
    kept = [line for n, line in enumerate(lines, 1) if n not in wrong]
    (project / "draft.md").write_text("\n".join(kept), encoding="utf-8")
    assert run("gate", "draft.md").out.startswith("draft.md: Forward: 0 of ")


# Baselines.


def test_a_baseline_lets_old_findings_pass_and_new_ones_not(project: Path) -> None:
    shutil.copy(OATFOLK_DRAFT, project / "draft.md")
    done = run("check", "draft.md", "--baseline", "known.json", "--update-baseline")
    assert (done.code, done.out) == (0, "")
    assert re.fullmatch(r"known\.json: \d+ findings\n", done.err)
    done = run("check", "draft.md", "--baseline", "known.json")
    assert done.code == 0
    assert "known ones in the baseline not shown" in done.out
    with (project / "draft.md").open("a") as draft:
        draft.write(f"\n{OFF_BRAND}\n")
    done = run("check", "draft.md", "--baseline", "known.json", "--format", "json")
    assert done.code == 1
    assert [s["text"] for s in done.json()["files"][0]["sentences"] if s["flagged"]] == [OFF_BRAND]


def test_baselines_that_cannot_be_used(project: Path) -> None:
    (project / "draft.md").write_text(OFF_BRAND)
    assert "--update-baseline" in error_of(run("check", "draft.md", "--baseline", "no.json"))
    assert error_of(run("check", "draft.md", "--update-baseline")).startswith("--update-baseline")
    (project / "bad.json").write_text('{"version": 1}')
    assert error_of(run("check", "draft.md", "--baseline", "bad.json")).startswith("bad.json:")
    before = tree(project)
    error_of(run("check", "draft.md", "--baseline", "bad.json", "--update-baseline"))
    assert tree(project) == before
