from __future__ import annotations

from pathlib import Path

import pytest
from junitparser import Failure, JUnitXml, Skipped

from onbrand.report.junit import render
from report_samples import report, samples, sentence

SCHEMA = Path(__file__).parent.parent / "data" / "junit" / "junit-10.xsd"


def test_the_samples_follow_the_schema_of_jenkins() -> None:
    xmlschema = pytest.importorskip("xmlschema")
    schema = xmlschema.XMLSchema(str(SCHEMA))
    reports, _ = samples()
    schema.validate(render(reports))
    schema.validate(render([]))
    with pytest.raises(xmlschema.XMLSchemaValidationError):
        schema.validate(render(reports).replace("classname=", "klass="))


def test_it_loads_in_a_junit_parser() -> None:
    reports, _ = samples()
    suites = list(JUnitXml.fromstring(render(reports).encode()))
    assert [suite.name for suite in suites][:2] == ["docs/launch.md", "multi.md"]
    for suite, made in zip(suites, reports, strict=True):
        cases = list(suite)
        failures = [case for case in cases if isinstance(next(iter(case.result), None), Failure)]
        assert len(failures) == suite.failures == len(made.flagged)
        assert len(cases) == suite.tests == len(made.flagged) + 1
        assert len({case.name for case in cases}) == len(cases)


def test_a_failure_says_why_and_where() -> None:
    source = "Hi.\n We leverage."
    made = report("a.md", sentence(source, "We leverage.", words="leverage"))
    (suite,) = JUnitXml.fromstring(render([made]).encode())
    _, case = suite
    (failure,) = case.result
    assert failure.message == "Sounds off-brand for acme. Above all: “leverage”."
    assert failure.text == "a.md:2:2\nWe leverage.\nP 0.12"
    assert (case.classname, case.name) == ("a.md", "We leverage.")


def test_equal_sentences_are_told_apart() -> None:
    made = report("a.md", *[sentence("We leverage.", "We leverage.")] * 2)
    (suite,) = JUnitXml.fromstring(render([made]).encode())
    assert [case.name for case in suite][1:] == ["We leverage.", "We leverage. (2)"]


def test_a_draft_that_was_not_judged_is_skipped() -> None:
    made = report("a.md", probability=None, verdict="not judged")
    (suite,) = JUnitXml.fromstring(render([made]).encode())
    (case,) = suite
    assert isinstance(case.result[0], Skipped)
    assert case.result[0].message == "Not judged: no sentence to judge."
    assert suite.skipped == 1
