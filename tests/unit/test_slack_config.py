"""What the Slack app needs to be told, and how it says that something is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from onbrand import OnbrandError
from onbrand_slack.config import Config, Transport

BOT = {"SLACK_BOT_TOKEN": "xoxb-s3cret-1"}
APP = {"SLACK_APP_TOKEN": "xapp-s3cret-2"}
SIGNING = {"SLACK_SIGNING_SECRET": "s3cret-3"}
OAUTH = {"SLACK_CLIENT_ID": "1.2", "SLACK_CLIENT_SECRET": "s3cret-4"}


def load(
    folder: Path, transport: Transport, environment: dict[str, str], **options: object
) -> Config:
    return Config.load(
        transport, voices=folder, database="slack.db", environment=environment, **options
    )


def test_one_workspace_by_either_transport(tmp_path: Path) -> None:
    socket = load(tmp_path, "socket", {**BOT, **APP})
    http = load(tmp_path, "http", {**BOT, **SIGNING}, port=8080, workers=None)
    assert not socket.many_workspaces and not http.many_workspaces
    assert (http.port, http.workers) == (8080, 2)
    assert http.api_url == "https://slack.com/api/"


def test_many_workspaces_by_oauth(tmp_path: Path) -> None:
    config = load(tmp_path, "http", {**SIGNING, **OAUTH}, public_url="https://a.example")
    assert config.many_workspaces


@pytest.mark.parametrize(
    ("transport", "environment", "named"),
    [
        ("socket", {}, "SLACK_BOT_TOKEN, SLACK_APP_TOKEN"),
        ("socket", BOT, "SLACK_APP_TOKEN"),
        ("http", BOT, "SLACK_SIGNING_SECRET"),
        ("http", {}, "SLACK_SIGNING_SECRET, SLACK_CLIENT_ID, SLACK_CLIENT_SECRET"),
        ("http", SIGNING, "or SLACK_BOT_TOKEN for one workspace"),
        ("http", {**SIGNING, **OAUTH}, "--url https://"),
        ("socket", {**BOT, "SLACK_APP_TOKEN": "xoxb-s3cret"}, "SLACK_APP_TOKEN must begin with"),
        ("socket", {"SLACK_BOT_TOKEN": " ", **APP}, "SLACK_BOT_TOKEN"),
    ],
)
def test_what_is_missing_is_named(
    tmp_path: Path, transport: Transport, environment: dict[str, str], named: str
) -> None:
    with pytest.raises(OnbrandError, match=named) as raised:
        load(tmp_path, transport, environment)
    assert "\n" not in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_a_missing_folder_of_voices_is_named(tmp_path: Path) -> None:
    with pytest.raises(OnbrandError, match="nowhere: no such folder of voices"):
        load(tmp_path / "nowhere", "socket", {**BOT, **APP})


def test_without_voices_there_must_be_something_to_avoid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = {"database": "slack.db", "environment": {**BOT, **APP}}
    with pytest.raises(OnbrandError, match="voices: no such folder of voices"):
        Config.load("socket", voices=None, **given)
    assert Config.load("socket", voices=None, avoid=("hype",), **given).voices == Path("voices")
    with pytest.raises(OnbrandError, match="nowhere: no such folder of voices"):
        Config.load("socket", voices=tmp_path / "nowhere", avoid=("hype",), **given)


def test_secrets_do_not_show(tmp_path: Path) -> None:
    environment = {**BOT, **APP, **SIGNING, **OAUTH}
    config = Config.load(
        "socket",
        voices=tmp_path,
        database="postgresql://u:s3cret-5@h/d",
        environment=environment,
    )
    assert "s3cret" not in repr(config)


@pytest.mark.parametrize("url", ["http://slack.example/api/", "ftp://127.0.0.1/", "slack.com"])
def test_tokens_do_not_travel_in_the_clear(tmp_path: Path, url: str) -> None:
    with pytest.raises(OnbrandError, match="must be https, or on this machine"):
        load(tmp_path, "socket", {**BOT, **APP, "ONBRAND_SLACK_API_URL": url})


def test_a_stand_in_for_slack_on_this_machine(tmp_path: Path) -> None:
    given = {**BOT, **APP, "ONBRAND_SLACK_API_URL": "http://127.0.0.1:4003/api"}
    assert load(tmp_path, "socket", given).api_url == "http://127.0.0.1:4003/api/"
