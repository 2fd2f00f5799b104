"""Text that is odd and right: it must be judged, with exact places."""

from __future__ import annotations

from pathlib import Path

from cli_runner import run

from onbrand.report import FORMATS


def test_a_draft_with_every_awkward_character_is_judged(workplace: Path) -> None:
    sentences = [
        "First of all, we love\u2028oats and all of their friends.",
        "A stray \0 does no harm to anybody who reads this.",
        "👩‍👩‍👧 Our stakeholders leverage synergies every day 🎉",
        "שלום לכולם, זה משפט ארוך בעברית על שיבולת שועל.",
        "\u202bمرحبا بكم في هذا النص الطويل عن الشوفان.\u202c",
        "e\u0301tude number nine ends without a full stop",
    ]
    source = "\ufeff" + "\r\r".join(sentences) + "\r\n" + "x" * 5000
    (workplace / "draft.txt").write_bytes(source.encode())
    done = run("check", "draft.txt", "-b", "oatfolk", "--format", "json")
    assert done.code in (0, 1)
    (file,) = done.json()["files"]
    spans = [(s["start"], s["end"]) for s in file["sentences"]]
    assert spans == sorted(spans)
    found = "\n".join(source[start:end] for start, end in spans)  # with its byte order mark
    assert (file["sentences"][0]["line"], file["sentences"][0]["column"]) == (1, 1)
    for sentence in sentences:
        assert sentence.strip("\u202b\u202c") in found
    for form in FORMATS:
        assert run("check", "draft.txt", "-b", "oatfolk", "--format", form).code == done.code


def test_one_line_of_200_kilobytes_is_judged(workplace: Path) -> None:
    source = "our quarterly synergies and " * 7_000
    (workplace / "draft.md").write_text(source)
    done = run("check", "draft.md", "-b", "oatfolk", "--format", "json")
    (file,) = done.json()["files"]
    (sentence,) = file["sentences"]
    assert (sentence["start"], sentence["end"]) == (0, len(source.rstrip()))
    assert sentence["truncated"]
    assert file["warnings"] == [
        "line 1: a sentence is longer than 256 tokens; only its start is judged"
    ]
    assert done.err == f"warning: draft.md: {file['warnings'][0]}\n"
    assert run("check", "draft.md", "-b", "oatfolk").err == ""  # the text says it on its own
