"""Requests as Slack sends them, signed beforehand and sent all at once."""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from urllib.parse import urlencode

from data import ROOT
from writing import BRAND, markdown

sys.path.insert(0, str(ROOT / "tests" / "slack"))
from slack_burst import Burst, Timed, send_all
from slack_fuzz import MARKER, payloads
from slack_mutants import mutants
from slack_peer import SlackPeer
from slack_process import SlackProcess
from slack_sender import FORM, JSON, Sender, signed

__all__ = [
    "BRAND",
    "FORM",
    "JSON",
    "MARKER",
    "Burst",
    "Sender",
    "SlackPeer",
    "SlackProcess",
    "Timed",
    "commands",
    "draft",
    "mutants",
    "payloads",
    "send_all",
    "signed",
]


def draft(words: int, rng: random.Random) -> str:
    """Return a draft of so many words as it is pasted into Slack."""
    return " ".join(markdown(words, rng).split()[:words])


def commands(sender: Sender, drafts: Sequence[str]) -> tuple[list[str], Burst]:
    """Return the response_urls and the signed requests of a slash command a draft."""
    urls, burst = [], []
    for number, text in enumerate(drafts):
        payload = sender.command_payload(f"{BRAND} {text}", user=f"U{number:09d}")
        urls.append(payload["response_url"])
        body = urlencode(payload)
        burst.append((body, signed(body, FORM)))
    return urls, burst
