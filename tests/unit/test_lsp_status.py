"""What a status bar, a panel and a message show of a draft and of a voice."""

from __future__ import annotations

import json

import pytest
from lsp_samples import OTHERS, SYNERGY, check, unjudged, voice

from onbrand.results import Example
from onbrand_lsp.analysis import Analysis
from onbrand_lsp.features.payloads import MAX_SENTENCES, nearest, profile, status, summary, verdict

SOURCE = "We leverage synergies daily. It ships on Tuesday, of course. Hi.\n"
BAD = {"We": 0.1}


def found(analysis: Analysis) -> dict:
    made = verdict(analysis, "utf-16", OTHERS.get)
    assert json.loads(json.dumps(made)) == made
    return made


def test_a_status_counts_what_was_judged() -> None:
    analysis = check(SOURCE, BAD)
    said = status(analysis, ("acme", "borealis"))
    assert analysis.report is not None
    assert said == {
        "uri": "file:///project/draft.md",
        "version": 3,
        "state": "ready",
        "message": None,
        "setUp": False,
        "brand": "acme",
        "brands": ["acme", "borealis"],
        "probability": analysis.report.probability,
        "verdict": "review",
        "gate": 0.7,
        "flagged": 1,
        "mend": 0,
        "judged": 2,
    }
    assert json.loads(json.dumps(said)) == said


@pytest.mark.parametrize(("problem", "state"), [(None, "silent"), ("broken", "problem")])
def test_a_status_without_a_report_says_why(problem: str | None, state: str) -> None:
    said = status(unjudged(check(SOURCE), problem), ())
    assert (said["state"], said["message"]) == (state, problem)
    assert (said["brand"], said["probability"], said["verdict"]) == (None, None, None)


def test_a_draft_in_which_nothing_was_judged_is_ready_all_the_same() -> None:
    said = status(check("Hi.\n"), ())
    assert (said["state"], said["verdict"], said["judged"]) == ("ready", "not judged", 0)


def test_a_verdict_tells_the_worst_first() -> None:
    source = "It is bad here. It is worse here. It is fine here.\n"
    made = found(check(source, {"It is bad": 0.2, "It is worse": 0.1}))
    starts = [one["range"]["start"]["character"] for one in made["sentences"]]
    assert starts == [16, 0]
    many = found(check("It is bad here. " * 80, {"It": 0.1}))
    assert len(many["sentences"]) == MAX_SENTENCES


def test_a_sentence_has_its_words_habits_and_nearest_line() -> None:
    (one,) = found(check(SOURCE, BAD, why={"We": SYNERGY}))["sentences"]
    assert one["words"][0] == {"text": "leverage", "share": -1.4}
    assert one["habits"] == ["34 words; acme rarely writes more than 18"]
    assert one["nearest"] == "We ship *it* on Tuesday | really."
    assert "Nearest" not in one["message"]


def test_other_brands_are_told_the_likeliest_first() -> None:
    made = found(check(SOURCE, BAD))
    told = [(one["brand"], one["probability"]) for one in made["others"]]
    assert told == [("borealis", OTHERS["borealis"]), ("c_corp", OTHERS["c_corp"])]


def test_a_verdict_without_a_report_says_why() -> None:
    made = found(unjudged(check(SOURCE), "onbrand.toml is broken"))
    assert (made["verdict"], made["message"]) == (None, "onbrand.toml is broken")
    silent = found(unjudged(check(SOURCE), None))
    assert silent["message"] == "onbrand is not set up for this document."
    assert summary(silent) == f"# draft.md\n\n{silent['message']}\n"


def test_a_summary_counts_lines_from_one() -> None:
    text = summary(found(check(f"# Launch\n\n{SOURCE}", BAD, why={"We": SYNERGY})))
    assert "- Line 3: Sounds off-brand for acme." in text
    assert r"Nearest on-brand line: “We ship \*it\* on Tuesday \| really.”" in text
    named = check(SOURCE, uri="file:///a/my%20%2Adraft%2A.md")
    assert summary(found(named)).splitlines()[0] == r"# my \*draft\*.md"


def test_a_profile_leaves_out_what_it_has_no_name_for() -> None:
    labels = {row["label"]: row["value"] for row in profile(voice("acme"))["rows"]}
    assert labels["Words in a sentence"] == "8 - 12 - 18"
    assert labels["With a contraction"] == "31 of 100 sentences"
    assert labels["Accuracy on held-out lines"] == "84.3% (a bag of words: 74.1%)"
    assert len(labels) == 10


def test_examples_are_numbered_lines_with_their_sources() -> None:
    lines = [Example("One\nline \ufffc.", 0.9, "on", "a.md"), Example("Two.", 0.8, "on")]
    assert nearest("acme", lines) == (
        "acme would sound more like this:\n1. “One line ….” (a.md)\n2. “Two.”"
    )
    assert nearest("acme", []) == ("The voice of acme keeps no line that is near this sentence.")
