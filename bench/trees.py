"""Times `onbrand check` of a tree of many drafts, and `--diff` in a repository with many changes.

    python bench/trees.py --files 10000 --changed 1000 --before OTHER/CHECKOUT

Drafts repeat the sentences of the examples, so that encoding, which is the same on both sides,
takes little of the time. Checks are told in seconds of the processor, which other programs do not
change much; runs alternate, as a laptop slows down when it gets warm.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]
CHECK = ("check", ".", "--avoid", "hype,corporate", "--format", "json", "-o", "../out.json")


def main() -> None:
    """Print the seconds of each run, and the ratios."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--files", type=int, default=10_000)
    options.add_argument("--changed", type=int, default=1_000)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--before", type=Path, help="another checkout to compare with")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder, "site")
        write_site(site, given.files)
        sides = {"now": ROOT} | ({"before": given.before} if given.before else {})
        times: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(given.rounds):
            for name, checkout in sides.items():
                times[name].append(seconds(checkout, site, *CHECK))
        for name, found in times.items():
            each = 1000 * median(found) / given.files
            print(
                f"check {given.files:,} files, {name}: {median(found):.2f} s, {each:.3f} ms a file"
            )
        if given.before:
            print(f"ratio {median(times['now']) / median(times['before']):.3f}")
        time_diff(site, given.changed, given.rounds)


def write_site(site: Path, count: int) -> None:
    """Write drafts of a dozen sentences from the examples each."""
    rng = random.Random(7)
    text = "\n".join(file.read_text("utf-8") for file in sorted(ROOT.glob("examples/drafts/*.md")))
    lines = [line for line in text.splitlines() if len(line.split()) > 5]
    for number in range(count):
        file = site / f"section-{number % 97}" / f"page-{number}.md"
        file.parent.mkdir(parents=True, exist_ok=True)
        body = "\n\n".join(rng.choices(lines, k=12))
        file.write_text(f"---\ntitle: Page {number}\n---\n\n# Page {number}\n\n{body}\n", "utf-8")
    (site / ".gitignore").write_text("node_modules/\n*.tmp.md\n/public/\n.cache/\n")


def time_diff(site: Path, changed: int, rounds: int) -> None:
    """Print how long git takes to say what differs in many files."""
    from onbrand.changes import changes_since

    def git(*arguments: str) -> None:
        identity = ("-c", "user.name=A", "-c", "user.email=a@example.com")
        subprocess.run(["git", *identity, *arguments], cwd=site, check=True, capture_output=True)

    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-q", "-m", "Site")
    files = sorted(site.rglob("*.md"))
    for file in files[:changed]:
        lines = file.read_text("utf-8").split("\n")
        lines[8] = f"{lines[8]} And it opens at nine."
        file.write_text("\n".join(lines), "utf-8")
    git("checkout", "-q", "-b", "topic")
    for state in ("not committed", "committed"):
        found = []
        for _ in range(rounds):
            start = time.perf_counter()
            assert len(changes_since("main", site).files) == min(changed, len(files))
            found.append(time.perf_counter() - start)
        said = f"git work for {changed:,} changed of {len(files):,} files, {state}"
        print(f"{said}: {median(found):.2f} s")
        git("commit", "-q", "-a", "-m", "Change", "--allow-empty")
    arguments = (
        "check",
        "--diff",
        "main",
        "--avoid",
        "hype",
        "--format",
        "json",
        "-o",
        "../out.json",
    )
    print(f"check --diff in all: {seconds(ROOT, site, *arguments):.2f} s")


def seconds(checkout: Path, site: Path, *arguments: str) -> float:
    """Run a checkout's command line and return how long the processor was at it."""
    packages = [str(checkout / part) for part in ("core", "models", "lsp_server", "slackbot")]
    start = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-m", "onbrand", *arguments],
        cwd=site,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(packages)},
        check=False,
        capture_output=True,
    )
    assert done.returncode in (0, 1), done.stderr.decode()
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    return end.ru_utime + end.ru_stime - start.ru_utime - start.ru_stime


if __name__ == "__main__":
    main()
