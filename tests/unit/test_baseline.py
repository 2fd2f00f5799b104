from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from onbrand.baseline import apply_baseline, fingerprint, load_baseline, write_baseline
from onbrand.errors import OnbrandError
from onbrand.results import Report
from report_samples import report, sentence

SOURCE = "We leverage. We empower.\n\nWe leverage. It ships.\n"


def draft(path: str | Path, source: str, *parts: str) -> Report:
    return report(str(path), *(sentence(source, part) for part in parts))


@pytest.fixture
def known(tmp_path: Path) -> Path:
    """A baseline that knows two findings in `a.md` and one in `docs/b.md`."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "a.md").write_text(SOURCE)
    (tmp_path / "docs/b.md").write_text(SOURCE)
    baseline = tmp_path / "baseline.json"
    reports = [
        draft(tmp_path / "a.md", SOURCE, "We leverage.", "We empower."),
        draft(tmp_path / "docs/b.md", SOURCE, "We leverage."),
    ]
    assert write_baseline(baseline, reports) == 3
    return baseline


def flagged(made: Report, baseline: Path) -> list[str]:
    (left,), suppressed = apply_baseline([made], load_baseline(baseline))
    assert suppressed == len(made.flagged) - len(left.flagged)
    return [s.text for s in left.flagged]


def test_known_findings_are_cleared(known: Path) -> None:
    made = draft(known.parent / "a.md", SOURCE, "We leverage.", "We empower.")
    assert flagged(made, known) == []


def test_lines_may_move_and_wrap(known: Path) -> None:
    source = "New.\n\nWe\n  empower.\n\n> We leverage."
    made = draft(known.parent / "a.md", source, "We\n  empower.", "We leverage.")
    assert flagged(made, known) == []


def test_a_changed_sentence_is_new(known: Path) -> None:
    source = "We leverage! We empower."
    made = draft(known.parent / "a.md", source, "We leverage!", "We empower.")
    assert flagged(made, known) == ["We leverage!"]


def test_one_more_of_the_same_is_new(known: Path) -> None:
    made = draft(known.parent / "a.md", SOURCE, "We leverage.", "We leverage.", "We leverage.")
    (left,), suppressed = apply_baseline([made], load_baseline(known))
    assert [s.flagged for s in left.sentences] == [False, True, True]
    assert suppressed == 1


def test_findings_are_known_per_file_and_brand(known: Path) -> None:
    assert flagged(draft(known.parent / "c.md", SOURCE, "We leverage."), known) == ["We leverage."]
    other = replace(sentence(SOURCE, "We leverage."), brand="beta")
    assert flagged(report(str(known.parent / "a.md"), other), known) == ["We leverage."]


def test_the_working_folder_does_not_matter(known: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(known.parent)
    assert flagged(draft("./docs/b.md", SOURCE, "We leverage."), Path("baseline.json")) == []
    monkeypatch.chdir(known.parent / "docs")
    assert flagged(draft("b.md", SOURCE, "We leverage."), Path("../baseline.json")) == []


def test_sentences_that_were_fine_stay_untouched(known: Path) -> None:
    made = report(str(known.parent / "a.md"), sentence(SOURCE, "It ships.", 0.9))
    assert apply_baseline([made], load_baseline(known)) == ([made], 0)


def test_an_update_replaces_what_was_checked_and_keeps_the_rest(known: Path) -> None:
    write_baseline(known, [draft(known.parent / "a.md", SOURCE, "We empower.")])
    assert flagged(draft(known.parent / "a.md", SOURCE, "We leverage."), known)
    assert not flagged(draft(known.parent / "docs/b.md", SOURCE, "We leverage."), known)


def test_an_update_forgets_clean_and_deleted_files(known: Path) -> None:
    (known.parent / "docs/b.md").unlink()
    write_baseline(known, [report(str(known.parent / "a.md"))])
    assert json.loads(known.read_text())["files"] == {}


def test_the_file_is_sorted_and_holds_no_text(known: Path) -> None:
    text = known.read_text()
    files = json.loads(text)["files"]
    assert list(files) == ["a.md", "docs/b.md"]
    assert list(files["a.md"]) == sorted(files["a.md"])
    assert "leverage" not in text
    assert text.endswith("}\n")


def test_the_same_findings_make_the_same_file(known: Path) -> None:
    before = known.read_bytes()
    reports = [
        draft(known.parent / "docs/b.md", SOURCE, "We leverage."),
        draft(known.parent / "a.md", SOURCE, "We empower.", "We leverage."),
    ]
    write_baseline(known, reports)
    assert known.read_bytes() == before


def test_a_fingerprint_ignores_white_space_and_unicode_form() -> None:
    composed, decomposed = "Caf\u00e9 now.", "Cafe\u0301 \n now."
    assert fingerprint(sentence(composed, composed)) == fingerprint(
        sentence(decomposed, decomposed)
    )
    assert fingerprint(sentence("cafe now.", "cafe now.")) != fingerprint(
        sentence(composed, composed)
    )


def test_a_missing_baseline_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(OnbrandError, match=r"no such baseline; .*--update-baseline"):
        load_baseline(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("raw", "message", "line"),
    [
        (b'{"version": 1,\n "files": }', "malformed", 2),
        (b"", "truncated", None),
        (b"[]", "Expected `object`", None),
        (b'{"version": 2, "files": {}}', "version", None),
        (b'{"version": 1}', "files", None),
        (b'{"version": 1, "files": {"a": {"x": 0}}}', "Expected `int` >= 1", None),
        (b'{"version": 1, "files": {}, "more": 1}', "more", None),
        (b"[" * 100_000, "is no baseline", None),
        (b"\xff", "UTF-8", 1),
    ],
)
def test_a_bad_file_is_told_in_one_line_and_left_alone(
    tmp_path: Path, raw: bytes, message: str, line: int | None
) -> None:
    file = tmp_path / "baseline.json"
    file.write_bytes(raw)
    for use in (load_baseline, lambda path: write_baseline(path, [])):
        with pytest.raises(OnbrandError, match=message) as caught:
            use(file)
        assert (caught.value.path, caught.value.line) == (file, line)
        assert len(str(caught.value).splitlines()) == 1
    assert file.read_bytes() == raw
