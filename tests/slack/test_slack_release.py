"""An app that runs on while the release is updated that it judges by."""

from __future__ import annotations

import time
from pathlib import Path

from installed_samples import example_release, switch
from slack_peer import SlackPeer
from slack_process import SlackProcess
from slack_talk import Talk, read

PATIENCE = 120.0
"""Seconds until the test gives up; never what it measures."""


def test_an_update_and_a_rollback_reach_a_running_app(
    peer: SlackPeer, tmp_path: Path, example_voices: Path
) -> None:
    root = tmp_path / "installation"
    example_release(root, 1, example_voices, threshold=0.999)
    example_release(root, 2, example_voices, threshold=0.0, max_tokens=16)
    switch(root, 1)
    with SlackProcess(peer, tmp_path, root) as app, Talk(peer, app, 1) as talk:

        def answer_unlike(before: str) -> str:
            until = time.monotonic() + PATIENCE
            while (answer := read(talk.check())) == before:
                assert time.monotonic() < until, app.log()
            return answer

        first = answer_unlike("")
        switch(root, 2, 1)
        second = answer_unlike(first)
        switch(root, 1, 2)
        assert answer_unlike(second) == first
        assert [line for line in app.lines() if line["level"] == "WARNING"] == []
