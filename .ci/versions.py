"""Locks the versions that `make` installs, and tries the newest and the lowest that are declared.

    python3 .ci/versions.py lock       write requirements/*.txt anew, with the newest versions
    python3 .ci/versions.py newest     run the unit tests with the newest versions there are
    python3 .ci/versions.py lowest     run them with the lowest that pyproject.toml allows

A trial prints which versions differ from the lock. Where tests fail, it puts the locked version of
each such library back alone and runs them again, so that the report names the library that breaks
something, and what. The exit code is 0 if all tests passed and 1 if not. PyTorch is part of none
of this: it is installed first, and by version.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import venv
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REQUIREMENTS = ROOT / "requirements"
PROJECT = ROOT / "pyproject.toml"
UV = "uv==0.13.9"
TRIED = {
    "dev": ("dev",),
    "all": ("dev", "editors", "export", "postgres", "bench"),
}
"""The extras of the sets that have the test tools, and that trials are made with."""

SETS = TRIED | {
    # What the VS Code extension installs for writers, and what is built for those without Python.
    "server": ("lsp", "train"),
    "standalone": ("standalone",),
}
"""The extras that each file of requirements/ holds."""

ALONE = {"hub-0": "huggingface-hub<1", "hub-2": "huggingface-hub>=2,<3"}
"""Libraries that tests use in other versions than the environment's, with what they need."""

WITHOUT_TORCH = "torch ; python_version < '3'\n"
LAST_WHEELS = {
    # Macs with an Intel processor are not built for any more.
    "onnxruntime": "<1.24 ; sys_platform == 'darwin' and platform_machine == 'x86_64'",
}
"""Libraries of which some of the writers' machines have no newer version, and those machines."""
OLDEST_PYTHON = "3.11"
MOST_TESTS = 60
"""So many failures are looked into; the others are counted."""

PINNED = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)==(?P<version>[^\s;\\]+)", re.MULTILINE)
Versions = dict[str, str]


def read_versions(text: str) -> list[tuple[str, str]]:
    """Return the names and versions in a file of requirements; a name may have several."""
    return [
        (re.sub(r"[-_.]+", "-", found["name"]).lower(), found["version"])
        for found in PINNED.finditer(text)
    ]


def differing(tried: str, locked: str) -> dict[str, tuple[str, str]]:
    """Return the versions tried and locked of each library in which two files differ."""
    known: dict[str, list[str]] = {}
    for name, version in read_versions(locked):
        known.setdefault(name, []).append(version)
    return {
        name: (version, known.get(name, [""])[0])
        for name, version in read_versions(tried)
        if version not in known.get(name, [])
    }


@dataclass
class Blame:
    """What putting locked versions back has shown."""

    by_library: dict[str, list[str]] = field(default_factory=dict)
    by_none: list[str] = field(default_factory=list)
    """Tests that fail whichever single library is put back."""


def find_blame(
    failing: list[str],
    libraries: Iterable[str],
    still_failing: Callable[[str, list[str]], Iterable[str]],
) -> Blame:
    """Find the libraries whose locked version, put back alone, makes failing tests pass.

    Args:
        failing: The tests.
        libraries: The libraries whose versions differ from the lock.
        still_failing: Puts one of them back, runs tests, and returns those that still fail.
    """
    blame = Blame()
    mended: set[str] = set()
    for library in libraries:
        left = set(still_failing(library, failing))
        fixed = [test for test in failing if test not in left]
        if fixed:
            blame.by_library[library] = fixed
            mended.update(fixed)
    blame.by_none = [test for test in failing if test not in mended]
    return blame


class Uv:
    """The resolver, in an environment of its own."""

    def __init__(self) -> None:
        home = ROOT / ".tools"
        self._program = home / "bin" / "uv"
        if not self._program.exists() or (home / "uv.txt").read_text() != UV:
            venv.create(home, with_pip=True, clear=True)
            pip = [str(home / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
            subprocess.run([*pip, "install", "--quiet", UV], check=True)
            (home / "uv.txt").write_text(UV)

    def __call__(self, *arguments: str | Path) -> None:
        """Run uv, and end with its message where it fails."""
        # What is set for somebody's other projects must not reach a file that all share.
        command = [self._program, "--quiet", "--no-config", *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"uv {' '.join(map(str, arguments))}\n{done.stderr}")

    def resolve(self, asked: Path, output: Path, *options: str) -> None:
        """Write the versions of what a file asks for, without PyTorch, to another."""
        override = ROOT / ".tools" / "without-torch.txt"
        override.write_text(WITHOUT_TORCH)
        self(
            *("pip", "compile", asked, "--output-file", output, "--override", override),
            *("--custom-compile-command", "make lock", *options),
        )


def of_extras(name: str) -> list[str]:
    """Return the options that name the extras of a set."""
    return [option for extra in SETS[name] for option in ("--extra", extra)]


def lock(uv: Uv, *, keep: bool) -> int:
    """Write requirements/*.txt; what is there already is kept if asked for."""
    REQUIREMENTS.mkdir(exist_ok=True)
    options = ["--universal", "--python-version", OLDEST_PYTHON, "--generate-hashes"]
    options += [] if keep else ["--upgrade"]
    last = ROOT / ".tools" / "last-wheels.txt"
    last.write_text("".join(f"{name}{which}\n" for name, which in LAST_WHEELS.items()))
    for name in SETS:
        bounds = () if name in TRIED else ("--constraint", last)
        uv.resolve(PROJECT, REQUIREMENTS / f"{name}.txt", *of_extras(name), *bounds, *options)
    for name, asked in ALONE.items():
        source = ROOT / ".tools" / f"{name}.in"
        source.write_text(f"{asked}\n")
        uv.resolve(source, REQUIREMENTS / f"{name}.txt", "--no-annotate", *options)
    return 0


class Trial:
    """One set of libraries in other versions than the locked ones."""

    def __init__(self, uv: Uv, name: str, which: str) -> None:
        self._uv = uv
        self.name = f"{which}, {name}"
        self._home = ROOT / f".venv-{which}-{name}"
        shutil.rmtree(self._home, ignore_errors=True)
        venv.create(self._home)
        self._python = self._home / "bin" / "python"
        asked = self._home / "requirements.txt"
        resolution = {"newest": "highest", "lowest": "lowest-direct"}[which]
        options = ["--resolution", resolution, "--python", str(self._python)]
        uv.resolve(PROJECT, asked, *of_extras(name), *options)
        locked = (REQUIREMENTS / f"{name}.txt").read_text("utf-8")
        self.differing = differing(asked.read_text("utf-8"), locked)
        self._install("--requirements", asked)
        self._install("--no-deps", "--no-build-isolation", "--editable", ".")

    def _install(self, *what: str | Path) -> None:
        self._uv("pip", "install", "--python", self._python, *what)

    def failing(self, tests: Iterable[str], workers: int = 2) -> dict[str, str]:
        """Run tests and return those that fail, each with the line that pytest says of it."""
        cache = self._home / "pytest-cache"
        shutil.rmtree(cache, ignore_errors=True)
        listed = self._home / "tests.txt"  # no command line is too short for a file
        listed.write_text("\n".join(tests), "utf-8")
        done = subprocess.run(
            [
                *(self._python, "-m", "pytest", "-n", str(workers), "--dist", "loadgroup"),
                *("-r", "fE", "--tb", "no", "-o", f"cache_dir={cache}", f"@{listed}"),
            ],
            cwd=ROOT,
            env={**os.environ, "COLUMNS": "240"},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode in (0, 5):
            return {}
        lines = (done.stdout + done.stderr).splitlines()
        last_failed = cache / "v" / "cache" / "lastfailed"
        if not last_failed.exists():  # pytest itself could not run
            return dict.fromkeys(tests, " / ".join(lines[-5:]))
        said = [line for line in lines if line.startswith(("FAILED ", "ERROR "))]
        return {
            test: next((line for line in said if test in line), test)
            for test in json.loads(last_failed.read_text("utf-8"))
        }

    def still_failing(self, library: str, tests: list[str]) -> Iterable[str]:
        """Run tests with the locked version of one library, alone, and return those that fail."""
        tried, locked = self.differing[library]
        self._install("--no-deps", f"{library}=={locked}")
        try:
            return self.failing(tests, workers=0)
        finally:
            self._install("--no-deps", f"{library}=={tried}")


def report(name: str, differences: dict[str, tuple[str, str]]) -> list[str]:
    """Return the lines that say which versions are tried."""
    lines = [f"## {name}: {len(differences)} versions differ from the lock"]
    lines += [
        f"  {library} {tried} (locked: {locked or 'none'})"
        for library, (tried, locked) in sorted(differences.items())
    ]
    return lines


def verdict(name: str, failing: dict[str, str], blame: Blame) -> list[str]:
    """Return the lines that say what fails, and which library breaks it."""
    if not failing:
        return [f"## {name}: passed"]
    lines = [f"## {name}: {len(failing)} tests failed"]
    named = {f"{library} breaks": tests for library, tests in blame.by_library.items()}
    for cause, tests in (named | {"no single library breaks": blame.by_none}).items():
        if tests:
            lines += [f"{cause} {len(tests)} of them:", *(f"  {failing[test]}" for test in tests)]
    return lines


def attempt(uv: Uv, which: str, sets: Iterable[str], tests: list[str]) -> int:
    """Try versions and return the exit code."""
    passed = True
    for name in sets:
        trial = Trial(uv, name, which)
        print(*report(trial.name, trial.differing), sep="\n", flush=True)
        failing = trial.failing(tests)
        blame = Blame()
        if failing:
            passed = False
            known = [library for library, (_, locked) in trial.differing.items() if locked]
            blame = find_blame(list(failing)[:MOST_TESTS], known, trial.still_failing)
        print(*verdict(trial.name, failing, blame), sep="\n", flush=True)
    return 0 if passed else 1


def main() -> int:
    """Do what the command line says and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("what", choices=("lock", "newest", "lowest"))
    parser.add_argument("--keep", action="store_true", help="lock: keep what still fits")
    parser.add_argument("--set", choices=TRIED, action="append", help="try only this set")
    parser.add_argument("--tests", nargs="+", default=["tests/unit"])
    options = parser.parse_args()
    uv = Uv()
    if options.what == "lock":
        return lock(uv, keep=options.keep)
    return attempt(uv, options.what, options.set or TRIED, options.tests)


if __name__ == "__main__":
    sys.exit(main())
