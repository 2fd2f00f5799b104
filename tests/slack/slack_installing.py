"""Workspaces that install the app, and may remove it again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from urllib.parse import urlencode

from slack_browser import MANY, URL
from slack_peer import SlackPeer
from slack_process import SlackProcess
from slack_sender import FORM
from slack_team import Member, voices_of

KEPT = {"bots": "team_id", "installations": "team_id", "jobs": "workspace", "sealed": "workspace"}
"""Tables, and the column in them that tells whose a row is."""
_numbers = count(1)


@contextmanager
def serving_all(peer: SlackPeer, folder: Path, example_voices: Path) -> Iterator[SlackProcess]:
    """Run the app for all workspaces that install it; those from T10 to T99 have a voice."""
    teams = [f"T{number}" for number in range(10, 100)]
    voices = voices_of(folder / "voices", example_voices, **dict.fromkeys(teams, ("oatfolk",)))
    with SlackProcess(peer, folder, voices, "--url", URL, environment=MANY) as app:
        yield app
        assert not [one for one in (MANY["SLACK_CLIENT_SECRET"], "xoxb-") if one in app.log()]


class Team:
    """A workspace, which may or may not have the app, and one of its members."""

    def __init__(self, peer: SlackPeer, app: SlackProcess) -> None:
        number = next(_numbers)
        self.id = f"T{number + 9}"
        self.member = Member(peer, app, number, team=self.id)

    def is_answered(self) -> str:
        """Check a draft as the member; return the token with which it was answered."""
        self.member.ask("oatfolk We leverage synergies.")
        return str(self.member.next("chat.postEphemeral").token)

    def is_refused(self) -> bool:
        """Say whether the app does not know this workspace."""
        payload = self.member.command_payload("help", user=self.member.user)
        return self.member.post(urlencode(payload), FORM).status == 401

    def stored(self, also: str = "") -> dict[str, int]:
        """Count what the database has of it: all, or the jobs that are in some state."""
        return {
            table: self.member.rows(
                f"SELECT count(*) FROM onbrand_slack_{table} WHERE {column} = '{self.id}'"
                + (f" AND state = '{also}'" if also and table == "jobs" else "")
            )[0][0]
            for table, column in KEPT.items()
        }
