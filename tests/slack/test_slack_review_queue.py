"""The review queue: drafts below the gate are sent to the people who decide on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from slack_peer import SlackPeer
from slack_process import SlackProcess
from slack_queue import BRAND, STATUS, Queue
from slack_talk import FLAGGED, offers, read
from slack_team import in_channel, in_thread


@pytest.fixture
def queue(shared_peer: SlackPeer, shared_app: SlackProcess) -> Iterator[Queue]:
    with ExitStack() as people:
        queue = Queue(shared_peer, shared_app, people)
        queue.set()
        yield queue


def test_a_draft_below_the_gate_goes_to_the_reviewers_with_all_of_its_text(queue: Queue) -> None:
    draft = f"{FLAGGED}\n\nIs it milk? Our lawyer has asked us to look out of the window and hum."

    posted = queue.send(draft)

    said = read(posted)
    assert "oatfolk: a draft to review" in said
    assert f"<@{queue.author.user}> asks for review" in said
    assert "synergies" in said
    assert {"approve", "ask_for_changes", "reject", "details", "label_on"} <= set(offers(posted))
    (page,) = in_thread(queue.peer, queue.channel, posted["ts"])
    assert draft in read(page)
    assert "Your drafts in review" in read(queue.author.home())


def test_the_answer_says_that_its_draft_is_in_review(queue: Queue) -> None:
    answer = queue.author.checks()
    assert "send_to_review" in offers(answer)

    queue.author.use(answer, "send_to_review")

    changed = queue.author.answer()
    assert changed["replace_original"] is True
    assert "send_to_review" not in offers(changed)


def test_a_draft_that_is_sent_twice_is_there_once(queue: Queue) -> None:
    answer = queue.author.checks()

    for _ in range(2):
        queue.author.use(answer, "send_to_review")
    queue.author.answer()
    queue.author.settle()
    queue.author.use(answer, "send_to_review")
    queue.author.answer()

    assert len(in_channel(queue.peer, queue.channel)) == 1
    assert queue.rows(STATUS) == [("open",)]


def test_a_channel_that_the_app_is_not_in(queue: Queue) -> None:
    answer = queue.author.checks()
    queue.peer.refuse("chat.postMessage", "not_in_channel", only=queue.channel)

    queue.author.use(answer, "send_to_review")

    assert "/invite @onbrand" in read(queue.author.answer())
    queue.author.settle()
    queue.author.use(answer, "send_to_review")
    queue.author.answer()
    assert len(in_channel(queue.peer, queue.channel)) == 1


def test_a_draft_of_several_pages_is_a_thread(queue: Queue) -> None:
    lines = [f"{FLAGGED[:-1]}, chapter {number}." for number in range(400)]

    posted = queue.send("\n".join(lines))

    pages = in_thread(queue.peer, queue.channel, posted["ts"], count=3)
    texts = "".join(
        run["text"]
        for page in pages
        for block in page["blocks"]
        if block["type"] == "rich_text"
        for run in block["elements"][0]["elements"]
    )
    assert texts.split("\n\n") == lines


def test_a_draft_of_many_pages_is_a_file(queue: Queue) -> None:
    draft = "\n\n".join(f"{FLAGGED[:-1]}, chapter {number}." for number in range(900))
    file = queue.peer.add_file("plan.md", draft.encode())
    queue.author.ask(BRAND, files=[{"id": file}])

    queue.author.use(queue.author.answer(), "send_to_review")

    queue.author.answer()
    (posted,) = in_channel(queue.peer, queue.channel)
    (shared,) = [
        call
        for call in queue.peer.of("files.completeUploadExternal")
        if call.arguments["channel_id"] == queue.channel
    ]
    assert shared.arguments["thread_ts"] == posted["ts"]
    (uploaded,) = shared.answer["files"]
    assert uploaded["name"] == "plan.md"
    assert queue.peer.files[uploaded["id"]].content == draft.encode()
