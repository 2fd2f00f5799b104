"""The action's work: checks the drafts, and keeps one comment with the summary up to date.

What action.yml hands over stands in the environment. Annotations are printed, the summary is shown
on the page of the job as well. A token that may not comment, as in pull requests from forks, is a
warning. The exit code is that of the check.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any

TIMEOUT = 30
"""Seconds that one request to GitHub may take."""
MAX_COMMENT = 65_000
"""Characters of a comment; GitHub allows 65,536."""
MAX_PAGES = 30
"""Pages of a hundred comments that are looked through for the summary."""
NEXT = re.compile(r'<([^<>]+)>;\s*rel="next"')


def main() -> int:
    """Check, comment, and return the exit code of the check."""
    with tempfile.TemporaryDirectory() as folder:
        summary = Path(folder, "summary.md")
        code = subprocess.run(command(os.environ, summary), check=False).returncode
        text = summary.read_text("utf-8") if summary.exists() else ""
    if text and (page := os.environ.get("GITHUB_STEP_SUMMARY")):
        with Path(page).open("a", encoding="utf-8") as file:
            file.write(text)
    if text and os.environ.get("PULL_REQUEST") and os.environ.get("COMMENT") == "true":
        try:
            keep_comment(text)
        except (OSError, ValueError, KeyError) as error:  # URLError and HTTPError are an OSError
            reason = " ".join(str(error).split()).replace("%", "%25")
            print(f"::warning title=onbrand::The summary could not be posted ({reason}).")
    return code


def command(given: Mapping[str, str], summary: Path) -> list[str]:
    """Return the command line from what the action was given."""
    made = [sys.executable, "-m", "onbrand", "check", "--format", "github"]
    made += ["--summary", str(summary), *lines(given.get("ARGUMENTS", ""))]
    made += ["--diff", given["BASE"]] if given.get("BASE") else []
    made += ["--exit", given["EXIT"]] if given.get("EXIT") else []
    return [*made, "--", *(lines(given.get("PATHS", "")) or ["."])]


def lines(text: str) -> list[str]:
    """Return the lines of an input that are not empty."""
    return [line.strip() for line in text.splitlines() if line.strip()]


def keep_comment(text: str) -> None:
    """Replace the comment with the summary, or write the first one if there is something to say."""
    marker = text.splitlines()[0]
    base = f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}/issues"
    old = find_comment(f"{base}/{int(os.environ['PULL_REQUEST'])}/comments?per_page=100", marker)
    body = {"body": text[:MAX_COMMENT]}
    if old is not None:
        if old["body"].strip() != body["body"].strip():
            request("PATCH", f"{base}/comments/{int(old['id'])}", body)
    elif "\n- " in text or "**Review**" in text:
        request("POST", f"{base}/{int(os.environ['PULL_REQUEST'])}/comments", body)


def find_comment(url: str, marker: str) -> dict[str, Any] | None:
    """Return the comment that a bot began with the marker; anybody may write such a line."""
    for _ in range(MAX_PAGES):
        found, links = request("GET", url)
        for comment in found:
            if comment["body"].startswith(marker) and comment["user"]["type"] == "Bot":
                return dict(comment)
        following = NEXT.search(links)
        if following is None or not following[1].startswith(os.environ["GITHUB_API_URL"]):
            return None
        url = following[1]
    return None


def request(method: str, url: str, body: object = None) -> tuple[Any, str]:
    """Ask GitHub; return the answer, and the links to further pages."""
    headers = {
        "Accept": "application/vnd.github+json",
        "Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}",
        "Content-Type": "application/json",
        "User-Agent": "onbrand",
    }
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(asked, timeout=TIMEOUT) as answer:
        return json.load(answer), answer.headers.get("Link", "")


if __name__ == "__main__":
    sys.exit(main())
