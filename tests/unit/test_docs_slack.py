"""docs/slack.md names what the app asks Slack for, and what it can be told."""

from __future__ import annotations

import re
from pathlib import Path

from onbrand_slack.config import SECRETS
from onbrand_slack.manifest import SCOPES, manifest

PAGE = (Path(__file__).parents[2] / "docs" / "slack.md").read_text("utf-8")
SAMPLE = (Path(__file__).parents[2] / "slackbot/deploy/slack.env.example").read_text("utf-8")


def test_every_scope_is_there_with_its_reason() -> None:
    rows = dict(re.findall(r"^\| `([a-z_.:]+)` \| (.+) \|$", PAGE, re.MULTILINE))
    told = {name: reason for name, reason in rows.items() if ":" in name or name == "commands"}
    assert told == SCOPES


def test_every_variable_is_in_the_page_and_the_sample() -> None:
    for variable in SECRETS.values():
        assert f"`{variable}`" in PAGE
        assert variable in SAMPLE


def test_what_the_manifest_calls_things_is_what_the_page_calls_them() -> None:
    made = manifest(url=None, socket_mode=True)
    for shortcut in made["features"]["shortcuts"]:
        assert f"*{shortcut['name']}*" in PAGE
    (step,) = made["functions"].values()
    assert f"*{step['title']}*" in PAGE
    for output in step["output_parameters"]:
        assert f"`{output}`" in PAGE
