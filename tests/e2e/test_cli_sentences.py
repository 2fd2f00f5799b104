"""``onbrand score`` and ``onbrand explain``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cli_runner import BRAND_NAMES, OFF_BRAND, error_of, run

ON_BRAND = "Dear carton, stop slouching, somebody with a spoon is looking at you!"


def test_score_for_all_brands_the_likeliest_first(example_voices: Path) -> None:
    done = run("score", ON_BRAND, "--voices", example_voices, "--all")
    assert (done.code, done.err) == (0, "")
    lines = [line.split("  ") for line in done.out.splitlines()]
    assert sorted(brand for _, brand in lines) == BRAND_NAMES
    assert [p for p, _ in lines] == sorted((p for p, _ in lines), reverse=True)
    assert lines[0][1] == "oatfolk"


def test_score_of_lines_on_standard_input(example_voices: Path) -> None:
    command = ["score", "-", "--voices", example_voices, "--format", "json"]
    given = f"{ON_BRAND}\r\n\r\n{OFF_BRAND}\u2028 Still one line.\n".encode()
    rows = run(*command, "--all", stdin=given).json()["sentences"]
    assert [row["text"] for row in rows] == [ON_BRAND, f"{OFF_BRAND}\u2028 Still one line."]
    assert list(rows[0]["probabilities"]) == BRAND_NAMES
    assert rows[0]["probabilities"]["oatfolk"] > 0.5 > rows[1]["probabilities"]["oatfolk"]
    one = run(*command, "-b", "oatfolk", stdin=given).json()["sentences"]
    assert [list(row["probabilities"]) for row in one] == [["oatfolk"]] * 2
    # One brand or many: the same figure.
    assert one[0]["probabilities"]["oatfolk"] == rows[0]["probabilities"]["oatfolk"]


def test_score_takes_brand_and_voices_from_the_working_folder(
    example_voices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = f'root = true\nbrand = "quillpot"\nvoices = ["{example_voices}"]\n'
    (tmp_path / "onbrand.toml").write_text(text)
    other = tmp_path / "other.toml"
    other.write_text(text.replace("quillpot", "oatfolk"))
    monkeypatch.chdir(tmp_path)
    assert re.fullmatch(r"0\.\d\d  quillpot\n", run("score", ON_BRAND).out)
    assert re.fullmatch(r"0\.\d\d  oatfolk\n", run("score", ON_BRAND, "-b", "oatfolk").out)
    assert re.fullmatch(r"0\.\d\d  oatfolk\n", run("score", ON_BRAND, "--config", other).out)
    assert len(run("score", ON_BRAND, "--all").out.splitlines()) == 4


def test_score_asks_for_what_is_missing(
    example_voices: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "onbrand.toml").write_text("root = true\n")
    voices = ["--voices", example_voices]
    assert error_of(run("score", ON_BRAND)).startswith("no voices: name their folder")
    assert error_of(run("score", ON_BRAND, *voices)).startswith("which brand? Give --brand or")
    assert error_of(run("explain", ON_BRAND, *voices)).startswith("which brand? Give --brand (")
    for empty in ("", " \n"):
        assert error_of(run("score", empty, *voices)).startswith("there is no sentence to judge")
        assert error_of(run("explain", empty, *voices)).startswith("there is no sentence to")
    assert error_of(run("score", "-", *voices)).startswith("there is no sentence to judge")
    binary = run("score", "-", *voices, stdin=bytes(64))
    assert error_of(binary).startswith("standard input: looks like a binary file")


def test_explain_says_which_words_did_it(example_voices: Path) -> None:
    done = run("explain", OFF_BRAND, "--voices", example_voices, "-b", "oatfolk")
    assert (done.code, done.err) == (0, "")
    assert re.match(r"P <?0\.\d+  oatfolk, flagged below 0\.\d\d\n", done.out)
    assert re.search(r"\n +-\d\.\d\d  stakeholders +█+\n", done.out)
    shares = [float(n) for n in re.findall(r"^ +([+-]\d+\.\d\d)  ", done.out, re.MULTILINE)]
    *parts, total = shares
    assert sum(parts) == pytest.approx(total, abs=0.01 * len(parts))
    assert "nearest on-brand line, cosine 0." in done.out
    assert "nearest off-brand line, cosine 0." in done.out


def test_explain_in_json_adds_up(example_voices: Path) -> None:
    command = ["explain", OFF_BRAND, "--voices", example_voices, "-b", "oatfolk"]
    why = run(*command, "--format", "json").json()
    assert why["base"] + sum(word["share"] for word in why["words"]) == pytest.approx(
        why["logit"], abs=1e-4
    )
    for word in why["words"]:
        assert OFF_BRAND[word["start"] : word["end"]] == word["text"]
