"""The registries of formats: all faces read them, and what cannot import them says the same."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_runner import error_of, run
from lsp_samples import check

from onbrand.discovery import find_drafts
from onbrand.document.blocks import BlockBuilder, Comment, Extracted
from onbrand.document.formats import FORMATS, CommentSyntax, InputFormat
from onbrand.document.positions import LineIndex, Span
from onbrand.report import FORMATS as OUTPUT_FORMATS
from onbrand.report import ReportFormat
from onbrand.results import CheckResults
from onbrand_lsp.documents import Snapshot
from onbrand_lsp.features.code_lens import sections
from onbrand_lsp.features.suppressions import ignore_edits
from onbrand_slack.drafts import DraftProblem, files
from onbrand_slack.render.check_form import view

NO_DRAFTS = ("core/a.py", "package.json", "a.toml", "i18n/package.json", "nginx.conf.j2")
ROOT = Path(__file__).parents[2]
VSCODE = ROOT / "lsp_server/vscode"
DRAFT = """\
= Pumps
Our pumps run. They never stop. You will not hear them.
== Flow
We leverage synergies to drive outcomes. Nobody knows why. Nobody asks anybody.
"""


# --- a toy format: what someone would write who adds one --------------------------------------


def _extract(text: str, quotes: bool) -> Extracted:
    builder, comments, lines = BlockBuilder(text), [], LineIndex(text)
    for number in range(lines.line_count):
        start, end = lines.line_start(number), lines.line_end(number)
        line = lines.line_text(number)
        if line.startswith("%"):
            comments.append(Comment(start, end, line[1:]))
            continue
        marks = len(line) - len(line.lstrip("= "))
        builder.kind = "heading" if marks else "paragraph"
        builder.copy(start + marks, end)
        builder.flush()
    return Extracted(builder.blocks, comments)


def _level(source: str, lines: LineIndex, span: Span) -> int:
    return lines.line_text(lines.line_of(span.start)).count("=")


TOY = InputFormat(
    name="toy",
    suffixes=(".toy",),
    extract=_extract,
    languages=("toylang",),
    slack_types=("toyfile",),
    comment=CommentSyntax("% {}", inline=False),
    heading_level=_level,
)


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> InputFormat:
    monkeypatch.setitem(FORMATS, TOY.name, TOY)
    return TOY


def test_check_reads_a_new_format(
    toy: InputFormat, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "draft.toy").write_text(DRAFT)
    done = run("check", tmp_path, "--avoid", "hype", "--format", "json")
    (file,) = done.json()["files"]
    assert file["path"] == str(tmp_path / "draft.toy")
    assert [(one["line"], one["column"]) for one in file["sentences"]][:2] == [(1, 3), (2, 1)]
    monkeypatch.delitem(FORMATS, "toy")
    assert find_drafts(tmp_path) == []
    assert "draft.toy: is in no format" in run("check", tmp_path / "draft.toy").err


def test_the_language_server_knows_a_new_formats_names_headings_and_comments(
    toy: InputFormat,
) -> None:
    for uri, language in (("file:///a.toy", "plaintext"), ("untitled:a", "toylang")):
        snapshot = Snapshot(uri, 1, language, DRAFT, LineIndex(DRAFT))
        assert (snapshot.format, snapshot.problem) == ("toy", None)
    analysis = check(DRAFT, format="toy")
    assert [section.title for section in sections(analysis)] == ["Flow"]
    (edit,) = ignore_edits(analysis.document, 5)
    ((at, text),) = edit.insertions
    assert (at, text) == (DRAFT.index("We leverage"), "% onbrand-disable-next-line\n")


def test_slack_reads_a_new_format(toy: InputFormat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_download", lambda url, token, limit: DRAFT.encode())
    for info in ({"name": "a.toy"}, {"name": "Untitled", "filetype": "toyfile"}):
        info |= {"url_private": "https://files.slack.com/a"}
        found = files.fetch(info, "xoxb-test", "https://slack.com/api/")
        assert (found.text, found.format) == (DRAFT, "toy")
    with pytest.raises(DraftProblem, match=r"reads \.txt, .*\.docx and \.toy files"):
        files.fetch({"name": "a.pdf"}, "xoxb-test", "https://slack.com/api/")
    assert '"toy"' in json.dumps(view("acme"))


def _toy_report(results: CheckResults) -> str:
    rows = [f"{report.path}={len(report.flagged)}" for report in results.reports]
    return "\n".join([*rows, f"left out {dict(results.left_out)}"]) + "\n"


def test_check_prints_a_new_output_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "draft.md").write_text(DRAFT)
    (tmp_path / "logo.svg").write_text("")
    command = ("check", tmp_path, "--avoid", "hype,corporate", "--format", "toy")
    assert error_of(run(*command)).startswith("Invalid value for '--format': 'toy' is not one of")
    monkeypatch.setitem(OUTPUT_FORMATS, "toy", ReportFormat("toy", _toy_report))
    done = run(*command)
    assert (done.code, done.out) == (0, f"{tmp_path / 'draft.md'}=1\nleft out {{'.svg': 1}}\n")
    run(*command, "-o", tmp_path / "report.toy")
    assert (tmp_path / "report.toy").read_text() == done.out


def test_help_lists_the_output_formats() -> None:
    assert f"<{'|'.join(OUTPUT_FORMATS)}>" in run("check", "--help").out


# --- what cannot read the registry ------------------------------------------------------------


def _opened() -> set[str]:
    """Return the language ids of Visual Studio Code's that the registry has."""
    return {one.languages[0] for one in FORMATS.values() if one.languages}


def _conditions(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        yield from (each for key, each in value.items() if key in ("when", "enablement"))
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _conditions(each)


def test_the_extension_opens_what_the_server_reads() -> None:
    package = json.loads((VSCODE / "package.json").read_text("utf-8"))
    assert set(package["activationEvents"]) == {f"onLanguage:{each}" for each in _opened()}
    conditions = [each for each in _conditions(package) if "editorLangId" in each]
    assert len(conditions) > 5
    for condition in conditions:
        (listed,) = re.findall(r"editorLangId =~ /\^\(([^)]*)\)\$/", condition)
        assert set(listed.split("|")) == _opened(), condition
    script = (VSCODE / "src/drafts.ts").read_text("utf-8")
    (listed,) = re.findall(r"^const LANGUAGES = (\[.*\]);$", script, re.MULTILINE)
    assert set(json.loads(listed)) == _opened()


def test_the_commit_hook_takes_the_text_files_that_check_takes_for_drafts() -> None:
    hook = (ROOT / ".pre-commit-hooks.yaml").read_text("utf-8")
    (pattern,) = re.findall(r"^  files: (.+)$", hook, re.MULTILINE)
    assert "types: [text]" in hook
    for form in FORMATS.values():
        for suffix in form.suffixes:
            file = f"content/locales/a{suffix}" if form.is_named else f"content/a{suffix}"
            assert bool(re.search(pattern, file)) is (form.decode is None), suffix
    assert not any(re.search(pattern, file) for file in NO_DRAFTS)


def test_the_manual_lists_the_formats() -> None:
    page = (ROOT / "docs/checking.md").read_text("utf-8")
    for form in FORMATS.values():
        endings = ", ".join(f"`{suffix}`" for suffix in form.suffixes)
        assert f"\n| `{form.name}` | {endings} |\n" in page


def test_no_name_belongs_to_two_formats() -> None:
    for names in ("suffixes", "languages", "slack_types"):
        known = [each for form in FORMATS.values() for each in getattr(form, names)]
        assert len(known) == len(set(known)) and known == [each.lower() for each in known]
