"""Installed releases in use: by every command that judges, and by programs that run on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from cli_runner import Run, error_of, run
from installed_samples import SOURCE, TINY, switch, tiny_release
from release_samples import TRUSTED, write_release
from tiny_encoder import tiny_encoder

from onbrand import Scorer
from onbrand.installation import default_root
from onbrand_slack.config import Config
from onbrand_slack.model import Pasted, Tenant
from onbrand_slack.scoring import Scoring

LINE = "We brand the oats simple."


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the voices are that the project's configuration names by their URL."""
    monkeypatch.setenv("ONBRAND_DATA_DIR", str(tmp_path / "data"))
    project = tmp_path / "project"
    project.mkdir()
    (project / "onbrand.toml").write_text(f'root = true\nvoices = ["{SOURCE}"]\nbrand = "acme"\n')
    (project / "draft.md").write_text(f"{LINE}\n")
    monkeypatch.chdir(project)
    return default_root(SOURCE)


def fine(done: Run) -> Run:
    assert done.code == 0, done
    return done


def p_of(done: Run) -> float:
    return fine(done).json()["sentences"][0]["probabilities"]["acme"]


def near(p: float) -> object:
    return pytest.approx(p, abs=1e-4)


def test_every_command_takes_voices_and_encoder_of_the_current_release(root: Path) -> None:
    for number in (1, 2):
        tiny_release(root, number, TINY | {"acme": number}, encoder=number)
    for number in (1, 2, 1):
        switch(root, number)
        p = Scorer.load(root).probabilities(LINE)["acme"]
        for named in ([], ["--voices", root]):
            assert p_of(run("score", LINE, *named, "--format", "json")) == pytest.approx(
                p, abs=1e-4
            )
            found = run("check", "draft.md", *named, "--format", "json").json()["files"][0]
            assert found["sentences"][0]["probability"] == near(p)
            why = fine(run("explain", LINE, *named, "--format", "json")).json()
            assert why["probability"] == near(p)
            assert run("gate", "draft.md", *named, "--gate", "0").code == 0
        assert (
            fine(run("voices", "show", "acme", "--format", "json"))
            .json()["folder"]
            .startswith(str(root / "releases" / f"{number}-"))
        )


def test_an_encoder_that_is_named_still_wins(root: Path, tmp_path: Path) -> None:
    tiny_release(root, 1)
    switch(root, 1)
    tiny_encoder(tmp_path / "other", 5)
    said = error_of(run("score", LINE, "--encoder", tmp_path / "other"))
    assert "this is tiny" in said
    with Path("onbrand.toml").open("a") as file:
        file.write(f'encoder = "{(tmp_path / "other").as_posix()}"\n')
    assert "its folder is not trusted" in error_of(run("check", "draft.md"))
    fine(run("config", "trust", "."))
    assert "this is tiny" in error_of(run("check", "draft.md"))


@pytest.mark.parametrize(
    "command", [["check", "draft.md"], ["gate", "draft.md"], ["score", LINE], ["voices", "list"]]
)
def test_voices_that_are_not_installed(
    root: Path, tmp_path: Path, example_voices: Path, command: list[str]
) -> None:
    mend = f"no voices installed from {SOURCE}; run: onbrand voices install {SOURCE} --key KEY"
    place = Path.cwd() / "onbrand.toml"
    done = run(*command)
    assert error_of(done) == f"{place}:2: {mend}"
    assert done.err.count("\n") == 1
    place.write_text(
        f'root = true\nvoices = ["{SOURCE}", "{example_voices.as_posix()}"]\nbrand = "oatfolk"\n'
    )
    done = run(*command)
    assert done.code in (0, 1)
    assert command[0] == "voices" or f"warning: {place}:2: {mend}\n" in done.err


def test_drafts_of_two_releases_in_one_run(root: Path, tmp_path: Path) -> None:
    tiny_release(root, 1, {"acme": 1}, encoder=1)
    switch(root, 1)
    other = tmp_path / "other"
    tiny_release(other, 1, {"beta": 2}, encoder=2)
    switch(other, 1)
    inner = Path("inner")
    inner.mkdir()
    (inner / "onbrand.toml").write_text(f'voices = ["{other.as_posix()}"]\nbrand = "beta"\n')
    (inner / "draft.md").write_text(f"{LINE}\n")
    assert "its folder is not trusted" in error_of(run("check", "draft.md", "inner"))
    fine(run("config", "trust", other))
    files = run("check", "draft.md", "inner", "--format", "json").json()["files"]
    found = {file["brand"]: file["sentences"][0]["probability"] for file in files}
    assert found == pytest.approx(
        {
            "acme": Scorer.load(root).probabilities(LINE)["acme"],
            "beta": Scorer.load(other).probabilities(LINE)["beta"],
        },
        abs=1e-4,
    )


def test_an_update_reaches_who_runs_on(root: Path, tmp_path: Path) -> None:
    """From the publisher's folder to a server that was started before: no restart."""
    source = tmp_path / "published"
    source.mkdir()
    write_release(source, 1, voices={"acme": 1}, encoder=1)
    key = f"ed25519:{TRUSTED}"
    fine(run("voices", "install", source, "--key", key, "--to", root))
    ticks = iter(range(0, 10_000, 10))
    config = Config("socket", root, "slack.db", bot_token="xoxb-1")
    scoring = Scoring(config, clock=lambda: next(ticks))

    def judged() -> float | None:
        report = scoring.check(Tenant("T0001"), Pasted(LINE), "acme")
        return report.sentences[0].probability

    results = [judged()]
    write_release(source, 2, voices={"acme": 2}, encoder=2)
    fine(run("voices", "update", root))
    results.append(judged())
    fine(run("voices", "update", root, "--rollback"))
    results.append(judged())
    assert results[0] == results[2] != results[1]
    assert json.loads((root / "installed.json").read_text())["highest"] == 2
