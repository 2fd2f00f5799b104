"""Judging without a voice: ``--avoid``, ``avoid`` in onbrand.toml, ``onbrand registers``."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from cli_runner import error_of, run

GOLDEN = Path(__file__).parents[1] / "golden" / "registers.txt"
GOOD = "The shop opens at nine. Bring the old pump with you, and we look at it while you wait.\n"
BAD = (
    "Our stakeholders leverage synergies to drive scalable, best-in-class outcomes.\n\n"
    "Our strategic roadmap will operationalize cross-functional alignment across key verticals.\n"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "good.md").write_text(GOOD)
    (tmp_path / "bad.md").write_text(BAD)
    (tmp_path / "onbrand.toml").write_text("root = true\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_no_voice_is_needed(folder: Path) -> None:
    good = run("check", "good.md", "--avoid", "corporate,hype,chatbot")
    assert (good.code, good.err) == (0, "")
    bad = run("check", "bad.md", "--avoid", "corporate,hype,chatbot")
    assert bad.code == 1
    assert re.search(r"^bad.md:1:1: reads like corporate-speak \(P <?0.0\d\)$", bad.out, re.M)
    assert (
        "bad.md: Review: 2 of 2 sentences in a voice to avoid; 2 read like corporate-speak; P 0."
        in bad.out
    )
    assert "off-brand" not in bad.out


def test_gate(folder: Path) -> None:
    assert run("gate", "good.md", "--avoid", "corporate").code == 0
    done = run("gate", "bad.md", "--avoid", "corporate")
    assert done.code == 1
    assert done.out.startswith("bad.md: Review: 2 of 2 sentences")


def test_other_formats(folder: Path) -> None:
    found = run("check", "bad.md", "--avoid", "corporate,hype", "--format", "json").json()["files"]
    assert found[0]["brand"] == "avoid: hype, corporate"
    assert found[0]["sentences"][0]["register"] == "corporate"
    told = run("check", "bad.md", "--avoid", "corporate,hype", "--format", "github").out
    assert re.search("title=Voice to avoid::Reads like corporate-speak. Above all: “", told)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--avoid", "hpye"], "no register is named 'hpye' (known: hype, corporate, legalese, "),
        (["--avoid", ","], "--avoid needs names of registers (known: hype, "),
        (
            ["--avoid", "hype", "--brand", "acme"],
            "--avoid judges without a voice; leave out --brand, or --avoid",
        ),
        (
            ["--avoid", "hype", "--voices", "v"],
            "--avoid judges without a voice; leave out --voices, or --avoid",
        ),
    ],
)
@pytest.mark.parametrize("command", ["check", "gate", "score", "explain"])
def test_refusals(folder: Path, command: str, arguments: list[str], told: str) -> None:
    done = run(command, "good.md", *arguments)
    assert done.code == 2
    assert told in error_of(done)


def test_all_voices_are_none_to_avoid(folder: Path) -> None:
    done = run("score", "Hello.", "--avoid", "hype", "--all")
    assert "--avoid judges without a voice; leave out --all, or" in error_of(done)


def test_sentences(folder: Path) -> None:
    bad = BAD.splitlines()[0]
    names = "avoid: hype, corporate"
    done = run("score", "-", "--avoid", "corporate,hype", stdin=f"{GOOD}{bad}\n".encode())
    scored = re.findall(f"^([0-9.]+)  {names}$", done.out, re.M)
    good_p, bad_p = map(float, scored)
    assert good_p > 0.9 > 0.1 > bad_p
    told = run("score", bad, "--avoid", "hype,corporate", "--format", "json").json()
    assert list(told["sentences"][0]["probabilities"]) == [names]
    done = run("explain", bad, "--avoid", "corporate,hype")
    assert (done.code, done.err) == (0, "")
    assert f"  {names}, flagged below 0.30\n  {bad}\n  Reads like corporate-speak\n" in done.out
    assert "Reads like" not in run("explain", GOOD, "--avoid", "corporate,hype").out
    why = run("explain", bad, "--avoid", "corporate,hype", "--format", "json").json()
    assert (why["brand"], why["register"]) == (names, "corporate")


def test_sentences_by_onbrand_toml(folder: Path, example_voices: Path) -> None:
    settings = f'root = true\nvoices = ["{example_voices.as_posix()}"]\navoid = ["corporate"]\n'
    (folder / "onbrand.toml").write_text(settings)
    bad = BAD.splitlines()[0]
    assert run("score", bad).out.endswith("  avoid: corporate\n")
    assert "Reads like corporate-speak\n" in run("explain", bad).out
    # Who asks for a voice gets one.
    assert run("score", bad, "--brand", "quillpot").out.endswith("  quillpot\n")
    assert len(run("score", bad, "--all").out.splitlines()) == 4
    (folder / "onbrand.toml").write_text(settings + 'brand = "quillpot"\n')
    assert "  quillpot, flagged below" in run("explain", bad).out


def test_onbrand_toml_says_what_to_avoid(folder: Path, example_voices: Path) -> None:
    settings = f'root = true\nvoices = ["{example_voices.as_posix()}"]\navoid = ["corporate"]\n'
    (folder / "onbrand.toml").write_text(settings)
    assert ": Review: 2 of 2 sentences" in run("check", "bad.md").out
    assert run("check", "good.md").code == 0
    # Where a brand is set, its voice decides alone.
    (folder / "onbrand.toml").write_text(settings + 'brand = "quillpot"\n')
    assert "for quillpot" in run("check", "bad.md").out
    (folder / "onbrand.toml").write_text(settings)
    assert "for quillpot" in run("check", "bad.md", "--brand", "quillpot").out
    (folder / "own.md").write_text("---\nbrand: quillpot\n---\n" + BAD)
    done = run("check", "own.md", "good.md", "bad.md")
    assert re.search("^own.md: Review: .*; P <0.01 for quillpot, below", done.out, re.M)
    assert re.search("^bad.md: Review: .*; P 0.0., below", done.out, re.M)
    assert re.search(r"reads like corporate-speak \(P .*\)\n", done.out)
    assert (
        "own.md: Review: 2 of 2 sentences in a voice to avoid"
        in run("check", "own.md", "--avoid", "corporate").out
    )


def test_onbrand_toml_with_an_unknown_name(folder: Path) -> None:
    (folder / "onbrand.toml").write_text('root = true\navoid = ["corporate", "hpye"]\n')
    done = run("check", "bad.md")
    assert done.code == 2
    assert 'onbrand.toml:2: "avoid": no register is named "hpye" (known: hype, ' in error_of(done)


def test_registers(folder: Path) -> None:
    source = f"# Pumps\n\n{GOOD}\n- {BAD.splitlines()[0]}\n\n{BAD}"
    (folder / "draft.md").write_text(source)
    done = run("registers", "draft.md", "good.md")
    assert (done.code, done.err) == (0, "")
    if os.environ.get("ONBRAND_UPDATE_GOLDEN"):
        GOLDEN.write_text(done.out, encoding="utf-8")
    assert done.out == GOLDEN.read_text(encoding="utf-8")


def test_registers_for_programs(folder: Path) -> None:
    found = run("registers", "bad.md", "--format", "json").json()
    (draft,) = found["files"]
    assert (draft["path"], draft["sentences"], draft["outside"]) == ("bad.md", 2, 2)
    assert draft["registers"][0]["name"] == "corporate"
    assert draft["registers"][0]["reads_like"] == "corporate-speak"
    assert [one["line"] for one in draft["paragraphs"]] == [1, 3]
    assert draft["scales"]["plain"] < -1
    assert set(draft["scales"]) == {"formal", "warm", "plain", "confident"}


def test_registers_of_another_language(folder: Path) -> None:
    french = "Nous vous remercions de votre confiance et vous souhaitons une bonne journée."
    (folder / "draft.md").write_text(f"{french} Merci.\n\n{GOOD}")
    done = run("registers", "draft.md")
    assert "Nous vous" not in done.out
    last = done.out.splitlines()[-1]
    assert "good copy" in last
    assert last.endswith("; 2 not judged (too short, unfamiliar text).")
    found = run("registers", "draft.md", "--format", "json").json()["files"][0]
    assert found["not_judged"] == {"unfamiliar text": 1, "too short": 1}
    assert [one["line"] for one in found["paragraphs"]] == [3]


def test_avoid_twice_avoids_both(folder: Path) -> None:
    (folder / "bad.md").write_text(BAD)
    report = run("check", "bad.md", "--avoid", "corporate", "--avoid", "hype", "--format", "json")
    assert report.json()["files"][0]["brand"] == "avoid: hype, corporate"
    assert report.code == 1


def test_registers_of_nothing(folder: Path) -> None:
    (folder / "empty.md").write_text("# Pumps\n")
    said = "no sentence to read; 1 not judged (too short)"
    assert run("registers", "empty.md").out == f"empty.md: {said}.\n"
    found = run("registers", "empty.md", "--format", "json").json()["files"][0]
    assert (found["registers"], found["paragraphs"]) == ([], [])
    done = run("registers", "none.md")
    assert done.code == 2
    assert "none.md: no such file" in error_of(done)
