"""Which settings hold for a document."""

from __future__ import annotations

from pathlib import Path

import pytest

from onbrand.config.trust import trust
from onbrand.installation import default_root
from onbrand_lsp.models import ModelKey
from onbrand_lsp.settings import EffectiveSettings, ProblemReporter, ProjectSettings, config_stamp


class Told:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.problems = ProblemReporter()
        self.problems.subscribe(self.lines.append)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def projects(told: Told, tmp_path: Path) -> ProjectSettings:
    made = ProjectSettings(told.problems)
    made.add_folder(tmp_path.as_uri(), tmp_path)
    return made


def rules(projects: ProjectSettings, path: Path | None) -> EffectiveSettings:
    return projects.rules(path.as_uri() if path else "untitled:1", path)


def configure(folder: Path, text: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "onbrand.toml").write_text("root = true\n" + text)


def test_without_configuration_and_voices_it_is_silent(
    projects: ProjectSettings, tmp_path: Path, told: Told
) -> None:
    found = rules(projects, tmp_path / "a.md")
    assert found.disabled_reason
    assert found.problem is None
    assert told.lines == []


def test_files_beat_the_editor(projects: ProjectSettings, tmp_path: Path) -> None:
    configure(tmp_path, 'voices = ["v"]\nbrand = "acme"\ngate = 0.6\n')
    editor = {"voices": ["w"], "brand": "beta", "gate": 0.9, "threshold": 0.1, "encoder": "enc"}
    projects.set_editor(None, editor)
    found = rules(projects, tmp_path / "a.md")
    assert found.settings.voices == (tmp_path / "v",)
    assert (found.settings.brand, found.brand_source) == ("acme", "configuration")
    assert (found.settings.gate, found.settings.threshold) == (0.6, 0.1)
    assert found.settings.encoder == tmp_path / "enc"
    assert (found.problem, found.disabled_reason) == (None, None)
    assert found.folder == tmp_path


def test_the_editor_speaks_where_files_are_silent(
    projects: ProjectSettings, tmp_path: Path
) -> None:
    projects.set_editor(None, {"voices": ["w", "/abs", "~/own"], "brand": "beta"})
    found = rules(projects, tmp_path / "deep" / "a.md")
    assert found.settings.voices == (tmp_path / "w", Path("/abs"), Path("~/own").expanduser())
    assert (found.settings.brand, found.brand_source) == ("beta", "editor")
    assert found.folder == tmp_path


def test_what_is_underlined_is_said_by_files_then_the_editor(
    projects: ProjectSettings, tmp_path: Path
) -> None:
    found = rules(projects, tmp_path / "a.md").settings
    assert (found.underline, found.max_findings) == ("sentence", 5)
    projects.set_editor(None, {"underline": "words", "maxFindings": 9})
    found = rules(projects, tmp_path / "a.md").settings
    assert (found.underline, found.max_findings) == ("words", 9)
    configure(tmp_path, 'underline = "sentence"\nmax_findings = 0\n')
    projects.changed()
    found = rules(projects, tmp_path / "a.md").settings
    assert (found.underline, found.max_findings) == ("sentence", 0)


def test_voices_beside_the_configuration_need_no_naming(
    projects: ProjectSettings, tmp_path: Path, told: Told
) -> None:
    configure(tmp_path, 'brand = "acme"\n')
    without = rules(projects, tmp_path / "a.md")
    assert without.problem is not None
    assert "no voices" in without.problem
    (tmp_path / "voices").mkdir()
    assert rules(projects, tmp_path / "a.md").settings.voices == (tmp_path / "voices",)


def test_the_innermost_folder_has_its_own_editor_settings(
    projects: ProjectSettings, tmp_path: Path
) -> None:
    inner = tmp_path / "inner"
    projects.add_folder(inner.as_uri(), inner)
    projects.set_editor(None, {"brand": "loose"})
    projects.set_editor(tmp_path.as_uri(), {"brand": "outer"})
    projects.set_editor(inner.as_uri(), {"brand": "inner"})
    for path, brand in (
        (tmp_path / "a.md", "outer"),
        (inner / "a.md", "inner"),
        (tmp_path / "innermost" / "a.md", "outer"),
        (tmp_path.parent / "a.md", "loose"),
        (None, "outer"),  # never saved: of the first folder
    ):
        assert rules(projects, path).settings.brand == brand
    projects.remove_folder(inner.as_uri())
    assert rules(projects, inner / "a.md").settings.brand == "outer"


def test_relative_voices_of_loose_files_start_nowhere(told: Told) -> None:
    projects = ProjectSettings(told.problems)
    projects.set_editor(None, {"voices": ["here", "/abs"]})
    assert rules(projects, None).settings.voices == (Path("/abs"),)


def test_switched_off_and_excluded_documents_are_left_alone(
    projects: ProjectSettings, tmp_path: Path
) -> None:
    configure(tmp_path, 'voices = ["v"]\nexclude = ["old/"]\n')
    assert rules(projects, tmp_path / "a.md").disabled_reason is None
    assert "excludes" in (rules(projects, tmp_path / "old" / "a.md").disabled_reason or "")
    projects.set_editor(None, {"enable": False})
    assert "switched off" in (rules(projects, tmp_path / "a.md").disabled_reason or "")


def test_without_trust_nobody_chooses_voices_or_encoders(told: Told, tmp_path: Path) -> None:
    configure(tmp_path, 'voices = ["v"]\nencoder = "e"\n')
    (tmp_path / "voices").mkdir()
    projects = ProjectSettings(told.problems, trusted=False)
    projects.add_folder(tmp_path.as_uri(), tmp_path)
    projects.set_editor(None, {"voices": ["w"], "encoder": "f"})
    found = rules(projects, tmp_path / "a.md")
    assert (found.settings.voices, found.settings.encoder) == ((), None)
    assert found.disabled_reason
    assert told.lines == []


def test_the_editor_or_the_user_answers_for_encoders(
    projects: ProjectSettings, told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONBRAND_DATA_DIR", str(tmp_path / "data"))
    configure(tmp_path / "site", 'voices = ["v"]\n')
    file = tmp_path / "site/a.md"
    assert not rules(projects, file).vouched
    assert rules(ProjectSettings(told.problems, vouched=True), file).vouched
    trust(tmp_path / "site")
    assert rules(projects, file).vouched


def test_the_writers_choice_lasts_until_it_is_taken_back(
    projects: ProjectSettings, tmp_path: Path
) -> None:
    configure(tmp_path, 'voices = ["v"]\nbrand = "acme"\n')
    uri = (tmp_path / "a.md").as_uri()
    projects.choose(uri, "beta")
    assert rules(projects, tmp_path / "a.md").brand_override == "beta"
    assert rules(projects, tmp_path / "b.md").brand_override is None
    projects.choose(uri, None)
    assert rules(projects, tmp_path / "a.md").brand_override is None


def test_files_are_read_again_only_when_told(projects: ProjectSettings, tmp_path: Path) -> None:
    configure(tmp_path, 'voices = ["v"]\nbrand = "acme"\n')
    assert rules(projects, tmp_path / "a.md").settings.brand == "acme"
    before = projects.stamps()
    assert tmp_path in before
    configure(tmp_path, 'voices = ["v"]\nbrand = "beta"\n')
    assert rules(projects, tmp_path / "a.md").settings.brand == "acme"
    projects.changed()
    assert rules(projects, tmp_path / "a.md").settings.brand == "beta"
    assert projects.stamps()[tmp_path] != before[tmp_path]


def test_a_file_that_breaks_goes_on_as_it_was(
    projects: ProjectSettings, tmp_path: Path, told: Told
) -> None:
    configure(tmp_path, 'voices = ["v"]\nbrand = "acme"\n')
    rules(projects, tmp_path / "a.md")
    configure(tmp_path, "brand = \n")
    for name in ("a.md", "b.md", "a.md"):
        projects.changed()
        projects.changed()  # with no look in between
        found = rules(projects, tmp_path / name)
        assert (found.settings.brand, found.problem) == ("acme", None)
    (line,) = told.lines
    assert line.startswith(f"{tmp_path / 'onbrand.toml'}:2: ")
    configure(tmp_path, 'voices = ["v"]\nbrand = "beta"\n')
    projects.changed()
    assert rules(projects, tmp_path / "a.md").settings.brand == "beta"
    configure(tmp_path, "brand = \n")
    projects.changed()
    assert rules(projects, tmp_path / "a.md").settings.brand == "beta"
    assert told.lines == [line, line]


def test_a_file_that_was_broken_from_the_start_leaves_its_folder_unjudged(
    projects: ProjectSettings, tmp_path: Path, told: Told
) -> None:
    configure(tmp_path, 'voices = ["v"]\nbrand = "acme"\n')
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "onbrand.toml").write_text("gate = 7\n")
    for _ in range(3):
        found = rules(projects, tmp_path / "sub" / "a.md")
        assert found.problem == told.lines[0]
    assert rules(projects, tmp_path / "a.md").problem is None
    assert len(told.lines) == 1
    (tmp_path / "sub" / "onbrand.toml").unlink()
    projects.changed()
    assert rules(projects, tmp_path / "sub" / "a.md").settings.brand == "acme"


def test_bad_editor_settings_are_told_once_until_mended(
    projects: ProjectSettings, told: Told
) -> None:
    assert projects.set_editor(None, {"gate": 7, "brand": "acme"})
    assert not projects.set_editor(None, {"gate": 7, "brand": "acme"})
    assert len(told.lines) == 1
    projects.set_editor(None, {"gate": 0.7})
    projects.set_editor(None, {"gate": 7})
    assert told.lines == [told.lines[0]] * 2


URL = "https://example.com/voices"


def test_voices_that_are_not_installed_are_told_of(
    projects: ProjectSettings, tmp_path: Path, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONBRAND_DATA_DIR", str(tmp_path / "data"))
    root = default_root(URL)
    configure(tmp_path, f'voices = ["v", "{URL}"]\n')
    assert rules(projects, tmp_path / "a.md").settings.voices == (tmp_path / "v",)
    rules(projects, tmp_path / "b.md")
    (line,) = told.lines
    assert f"run: onbrand voices install {URL} --key KEY" in line
    assert root in projects.config_folders()
    before = projects.stamps()[root]
    root.mkdir(parents=True)
    (root / "installed.json").write_text("{}")
    assert config_stamp(root) != before
    assert rules(projects, tmp_path / "a.md").settings.voices == (tmp_path / "v", root)


def test_without_what_is_to_be_installed_there_is_nothing_to_judge_by(
    projects: ProjectSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONBRAND_DATA_DIR", str(tmp_path / "data"))
    configure(tmp_path, f'voices = ["{URL}"]\n')
    (tmp_path / "voices").mkdir()
    found = rules(projects, tmp_path / "a.md")
    assert found.settings.voices == (), "the folder beside it is not what was asked for"
    assert found.problem is not None
    assert f"run: onbrand voices install {URL} --key KEY" in found.problem


def test_problems_are_kept_for_who_listens_later() -> None:
    problems = ProblemReporter()
    problems.set("a", ["one"])
    problems.set("b", ["two", "one"])
    problems.set("c", ["three"])
    problems.set("c", ())
    lines: list[str] = []
    problems.subscribe(lines.append)
    assert lines == ["one", "two"]
    problems.set("a", ())
    problems.set("a", ["one"])  # it still stood at b
    assert lines == ["one", "two"]
    problems.forget()
    problems.set("a", ["one"])
    assert lines == ["one", "two", "one"]


def test_what_is_to_be_avoided_needs_no_voices(projects: ProjectSettings, tmp_path: Path) -> None:
    configure(tmp_path, 'avoid = ["hype"]\n')
    found = rules(projects, tmp_path / "a.md")
    assert (found.problem, found.disabled_reason) == (None, None)
    assert ModelKey.of(found) == ModelKey((), None, ("hype",), vouched=False)
    projects.set_editor(None, {"brand": "beta"})
    found = rules(projects, tmp_path / "a.md")
    assert found.problem is not None, "a brand's voice decides alone"
    assert ModelKey.of(found).avoid == ()
