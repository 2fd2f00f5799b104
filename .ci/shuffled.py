"""Runs the unit tests in many random orders and says which tests differ between them.

    python .ci/shuffled.py [--runs 20] [--seed 1] [--tests tests/unit]

Every run has a seed of its own, which `pytest -p randomly --randomly-seed=SEED` repeats. The exit
code is 0 if each test ended the same way in all runs, and 1 if one did not.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
Outcomes = dict[str, str]
"""How each test ended: passed, skipped, failure or error."""


def read_outcomes(report: Path) -> Outcomes:
    """Return the outcomes in a report in JUnit's format."""
    outcomes: Outcomes = {}
    for case in ET.parse(report).getroot().iter("testcase"):
        ends = [child.tag for child in case if child.tag in ("skipped", "failure", "error")]
        test = f"{case.get('classname')}::{case.get('name')}"
        # One test may fail and then err while it is taken down.
        outcomes[test] = " and ".join(ends) or "passed"
    return outcomes


def differences(runs: dict[int, Outcomes]) -> list[str]:
    """Return a line for each test that did not end the same way under all seeds."""
    lines = []
    for test in sorted(set().union(*runs.values())):
        seeds: dict[str, list[int]] = {}
        for seed, outcomes in runs.items():
            seeds.setdefault(outcomes.get(test, "not run"), []).append(seed)
        if len(seeds) > 1:
            ends = (f"{end} with {', '.join(map(str, of))}" for end, of in sorted(seeds.items()))
            lines.append(f"{test}: {'; '.join(ends)}")
    return lines


def run(seed: int, tests: list[str], report: Path) -> Outcomes:
    """Run the tests in the order of a seed and return how each ended."""
    command = [sys.executable, "-m", "pytest", *tests, "-n", "2", "--dist", "loadgroup", "-q"]
    command += [f"--randomly-seed={seed}", f"--junit-xml={report}", "-p", "no:cacheprovider"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if not report.exists():
        sys.exit(f"seed {seed}: pytest ended with {done.returncode}\n{done.stdout}{done.stderr}")
    if done.returncode:
        said = done.stdout.splitlines()
        print(*(line for line in said if line.startswith(("FAILED", "ERROR"))), sep="\n")
    return read_outcomes(report)


def main() -> int:
    """Run what the command line asks for and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1, help="of the first run; the others follow")
    parser.add_argument("--tests", nargs="+", default=["tests/unit"])
    options = parser.parse_args()
    runs: dict[int, Outcomes] = {}
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(options.seed, options.seed + options.runs):
            start = time.monotonic()
            runs[seed] = run(seed, options.tests, Path(folder) / f"{seed}.xml")
            counts = sorted(Counter(runs[seed].values()).items())
            ends = ", ".join(f"{count} {end}" for end, count in counts)
            print(f"seed {seed}: {ends}, {time.monotonic() - start:.0f} s", flush=True)
    found = differences(runs)
    print(*found, sep="\n")
    print(f"{len(runs)} runs, {len(set().union(*runs.values()))} tests, {len(found)} differ")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
