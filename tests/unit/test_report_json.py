from __future__ import annotations

import json

from onbrand.report import json as form
from onbrand.results import CheckResults, Report
from report_samples import report, samples, sentence


def render(reports: list[Report]) -> str:
    return form.render(CheckResults(reports, {}))


def test_the_form_that_the_manual_promises() -> None:
    source = "We leverage synergies."
    shown = json.loads(render([report("draft.md", sentence(source, source, 0.18, "leverage"))]))
    assert shown["version"] == 1
    (file,) = shown["files"]
    assert list(file)[:5] == ["path", "brand", "probability", "verdict", "gate"]
    assert (file["path"], file["brand"], file["probability"]) == ("draft.md", "acme", 0.62)
    assert (file["verdict"], file["gate"]) == ("review", 0.7)
    (judged,) = file["sentences"]
    assert judged["words"] == [{"start": 3, "end": 11, "text": "leverage", "share": -1.4}]
    expected = {"start": 0, "end": 22, "line": 1, "column": 1, "text": source}
    assert {key: judged[key] for key in expected} == expected
    assert (judged["probability"], judged["flagged"]) == (0.18, True)
    assert judged["message"] == "Sounds off-brand for acme. Above all: “leverage”."
    assert file["message"].startswith("Review: 1 of 1 sentence off-brand; P ")


def test_a_sentence_without_explanation_has_no_words() -> None:
    source = "We leverage synergies."
    shown = json.loads(render([report("draft.md", sentence(source, source))]))
    assert shown["files"][0]["sentences"][0]["words"] == []


def test_offsets_slice_the_source() -> None:
    reports, sources = samples()
    for file, made in zip(json.loads(render(reports))["files"], reports, strict=True):
        for judged in file["sentences"]:
            part = sources[made.path][judged["start"] : judged["end"]]
            assert " ".join(part.split()).replace("\ud800", "\ufffd") == judged["text"]


def test_no_files() -> None:
    assert json.loads(render([])) == {
        "version": 1,
        "files": [],
        "left_out": {},
        "no_drafts": 0,
        "skipped": {},
        "errors": [],
        "diff": None,
    }


def test_a_byte_order_mark_counts_in_offsets_alone() -> None:
    source = "We leverage synergies."
    made = report("draft.md", sentence(source, source, 0.18, "leverage"))
    results = CheckResults([made], {"draft.md": source}, marked=frozenset({"draft.md"}))
    (judged,) = json.loads(form.render(results))["files"][0]["sentences"]
    assert (judged["start"], judged["end"], judged["column"]) == (1, 23, 1)
    (word,) = judged["words"]
    assert ("\ufeff" + source)[word["start"] : word["end"]] == "leverage"
    (reason,) = judged["reasons"]["against"]
    assert reason["places"] == [{"start": 4, "end": 12}]


def test_what_was_not_judged_adds_up() -> None:
    made = [report(f"{n}.md", skipped={"code": 5, "quotes": n}) for n in range(3)]
    assert json.loads(render(made))["skipped"] == {"code": 15, "quotes": 3}
