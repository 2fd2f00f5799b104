"""The script that locks versions and tries others: all of it that needs no network."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import pytest
from scripts import load_script

ROOT = Path(__file__).parents[2]
LOCKED = """\
# a comment
numpy==2.4.6 ; python_full_version < '3.12' \\
    --hash=sha256:00
    # via onbrand
numpy==2.5.5 ; python_full_version >= '3.12' \\
    --hash=sha256:01
Python_Docx==1.2.0 \\
    --hash=sha256:02
"""


@pytest.fixture(scope="module")
def versions() -> ModuleType:
    return load_script(".ci/versions.py")


@pytest.fixture(scope="module")
def shuffled() -> ModuleType:
    return load_script(".ci/shuffled.py")


def test_versions_are_read(versions: ModuleType) -> None:
    read = versions.read_versions(LOCKED)
    assert read == [("numpy", "2.4.6"), ("numpy", "2.5.5"), ("python-docx", "1.2.0")]


def test_a_version_for_another_python_is_no_difference(versions: ModuleType) -> None:
    tried = "numpy==2.5.5\npython-docx==1.1.0\nnew-one==1\n"
    assert versions.differing(tried, LOCKED) == {
        "python-docx": ("1.1.0", "1.2.0"),
        "new-one": ("1", ""),
    }


def test_the_library_that_breaks_a_test_is_found(versions: ModuleType) -> None:
    breaks = {"test_a": {"old-http"}, "test_b": {"old-http", "old-xml"}, "test_c": set()}
    asked: list[str] = []

    def still_failing(library: str, tests: list[str]) -> list[str]:
        asked.append(library)
        return [test for test in tests if breaks[test] != {library}]

    blame = versions.find_blame(list(breaks), ["old-http", "old-xml"], still_failing)
    assert asked == ["old-http", "old-xml"]
    assert blame.by_library == {"old-http": ["test_a"]}
    assert blame.by_none == ["test_b", "test_c"]


def test_the_report_names_library_and_test(versions: ModuleType) -> None:
    failing = {"test_a": "FAILED test_a - KeyError", "test_b": "ERROR test_b - OSError"}
    blame = versions.Blame({"old-http": ["test_a"]}, ["test_b"])
    assert versions.verdict("lowest, dev", failing, blame) == [
        "## lowest, dev: 2 tests failed",
        "old-http breaks 1 of them:",
        "  FAILED test_a - KeyError",
        "no single library breaks 1 of them:",
        "  ERROR test_b - OSError",
    ]
    assert versions.verdict("lowest, dev", {}, versions.Blame()) == ["## lowest, dev: passed"]


def test_the_report_lists_what_is_tried(versions: ModuleType) -> None:
    assert versions.report("newest, all", {"b": ("2", "1"), "a": ("1", "")}) == [
        "## newest, all: 2 versions differ from the lock",
        "  a 1 (locked: none)",
        "  b 2 (locked: 1)",
    ]


def test_every_lock_is_one_of_the_scripts(versions: ModuleType) -> None:
    files = {path.stem for path in (ROOT / "requirements").iterdir()}
    assert files == {*versions.SETS, *versions.ALONE}


def test_outcomes_of_a_run(shuffled: ModuleType, tmp_path: Path) -> None:
    report = tmp_path / "1.xml"
    report.write_text(
        '<testsuites><testsuite><testcase classname="t" name="a"/>'
        '<testcase classname="t" name="b"><skipped/></testcase>'
        '<testcase classname="t" name="c"><failure/><error/></testcase></testsuite></testsuites>'
    )
    outcomes = shuffled.read_outcomes(report)
    assert outcomes == {"t::a": "passed", "t::b": "skipped", "t::c": "failure and error"}


def test_tests_that_depend_on_the_order_are_told(shuffled: ModuleType) -> None:
    runs = {
        1: {"a": "passed", "b": "passed", "c": "skipped"},
        2: {"a": "passed", "b": "failure", "c": "skipped"},
        3: {"a": "passed", "b": "passed"},
    }
    assert shuffled.differences(runs) == [
        "b: failure with 2; passed with 1, 3",
        "c: not run with 3; skipped with 1, 2",
    ]
