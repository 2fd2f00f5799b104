"""Tests hold whatever parts are installed: run again with parts hidden, all and each one alone.

A run hides several parts where no module has marks of two of them.

Run again are the tests that are marked. That no other test needs a part is shown by the first half
of .ci/run, which installs none.
"""

from __future__ import annotations

import ast
import functools
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from parts import EXAMPLE_VOICES, HIDDEN_PARTS, NEEDS, ROOT, is_program, is_there

pytestmark = pytest.mark.slow

HIDING = ROOT / "tests" / "hidden_parts"
WITHIN_A_RUN = ("ONBRAND_ALL_PARTS", "PYTHONPATH", "VIRTUAL_ENV")
"""Variables of this run that are no business of another, beside pytest's own."""


@functools.cache
def marked() -> dict[str, frozenset[str]]:
    """Return the parts that the marks in each module name, this one aside."""
    found: dict[str, frozenset[str]] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        parts = {
            argument.value
            for call in ast.walk(ast.parse(path.read_bytes()))
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.heavy"
            for argument in call.args
            if isinstance(argument, ast.Constant)
        }
        if parts and path != Path(__file__):
            found[path.relative_to(ROOT).as_posix()] = frozenset(map(str, parts))
    return found


def all_parts() -> list[str]:
    """Return all parts that some test needs, and what those that are made of others consist of."""
    named = frozenset().union(*marked().values())
    within = {
        each.partition(".")[0] for part in named for each in NEEDS.get(part, ()) if part in named
    }
    return sorted(named | within)


def affected(hidden: frozenset[str]) -> list[str]:
    """Return the modules with a mark that names something hidden."""
    whole = hidden | {part for part, needs in NEEDS.items() if hidden & frozenset(needs)}
    return [module for module, parts in marked().items() if parts & whole]


def alone() -> list[frozenset[str]]:
    """Return all parts in sets that are hidden in one run: in each module, one part is missing.

    No set has two Python modules: one may import the other, and so be missing elsewhere. A part
    that is not installed has a set of its own, whose test is skipped.
    """
    there = [part for part in all_parts() if is_there(part)]
    sets = [{part} for part in all_parts() if part not in there or not is_program(part)]
    for part in filter(is_program, there):
        modules = set(affected(frozenset({part})))
        for others in sets:
            if others <= set(there) and modules.isdisjoint(affected(frozenset(others))):
                others.add(part)
                break
        else:
            sets.append({part})
    return [frozenset(each) for each in sets]


@dataclass
class Run:
    """How a run of pytest ended."""

    status: int
    output: str
    passed: int
    skips: list[str]
    """Why tests were skipped."""
    reasons: dict[str, list[str]]
    """Why, by module; those without a skip too."""


RunWithout = Callable[[frozenset[str], Iterable[str]], Run]


def run_tests(folder: Path, *options: str, **variables: str) -> Run:
    """Run pytest in a process of its own, with nothing of this run's environment."""
    report = folder / "report.xml"
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in WITHIN_A_RUN and not name.startswith("PYTEST_")
    }
    own = ["-p", "no:cacheprovider", f"--basetemp={folder / 'base'}", f"--junit-xml={report}"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *own, *options],
        cwd=ROOT,
        env={**kept, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    output = done.stdout + done.stderr
    assert report.exists(), output
    cases = list(ET.parse(report).getroot().iter("testcase"))
    reasons: dict[str, list[str]] = {}
    for case in cases:
        module = f"{(case.get('classname') or '').replace('.', '/')}.py"
        reasons.setdefault(module, []).extend(
            skip.get("message") or "" for skip in case.iter("skipped")
        )
    skips = [reason for each in reasons.values() for reason in each]
    return Run(done.returncode, output, sum(not len(case) for case in cases), skips, reasons)


@pytest.fixture
def run_without(tmp_path: Path, example_voices: Path) -> RunWithout:
    """Run the marked tests of modules as if the hidden parts were not installed."""

    def run(hidden: frozenset[str], modules: Iterable[str]) -> Run:
        variables = {
            "PYTHONPATH": str(HIDING),
            HIDDEN_PARTS: ",".join(sorted(hidden)),
            EXAMPLE_VOICES: str(example_voices),
        }
        return run_tests(tmp_path, "-m", "heavy and not slow", *modules, **variables)

    return run


def assert_green(run: Run) -> None:
    assert run.status in (0, 5), run.output  # 5: there was nothing to run
    assert all(run.skips), run.output


def test_without_any_part(run_without: RunWithout) -> None:
    hidden = frozenset(all_parts())
    run = run_without(hidden, marked())
    assert_green(run)
    assert not run.passed, run.output
    assert len(run.skips) > len(marked())


@pytest.mark.parametrize(
    "hidden",
    [
        pytest.param(parts, id=" ".join(sorted(parts)), marks=pytest.mark.heavy(*parts))
        for parts in alone()
    ],
)
def test_without_one_part(hidden: frozenset[str], run_without: RunWithout) -> None:
    """Without psycopg, PostgreSQL's programs are there, and their driver is not."""
    run = run_without(hidden, affected(hidden))
    assert_green(run)
    for part in hidden:
        named = {part, *(whole for whole, needs in NEEDS.items() if part in needs)}
        modules = run.reasons.keys() & set(affected(frozenset({part})))  # others have slow tests
        reasons = [reason for module in modules for reason in run.reasons[module]]
        assert not modules or any(name in reason for name in named for reason in reasons), (
            f"hiding {part} made no difference\n{run.output}"
        )


@pytest.mark.parametrize(
    "version",
    [
        pytest.param("0", marks=pytest.mark.heavy("huggingface_hub-0")),
        pytest.param("2", marks=pytest.mark.heavy("huggingface_hub-2")),
    ],
)
def test_either_version_of_the_hub(version: str, tmp_path: Path) -> None:
    installed = ROOT / ".parts" / f"huggingface_hub-{version}"
    assert list(installed.glob(f"huggingface_hub-{version}.*.dist-info"))
    run = run_tests(tmp_path, "tests/unit/test_models_hub.py", PYTHONPATH=str(installed))
    assert_green(run)
    assert run.passed and not run.skips, run.output
