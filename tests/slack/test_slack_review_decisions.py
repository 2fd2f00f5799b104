"""The review queue: a person's word on a draft, which is kept, shown and told to its author."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest
from slack_peer import SlackPeer
from slack_process import SlackProcess
from slack_queue import DECISIONS, STATUS, Queue
from slack_talk import FLAGGED, element, offers, read

REASON = "We do not say <!channel> & we do not *leverage*; see <https://oat.example|why>."


@pytest.fixture
def queue(shared_peer: SlackPeer, shared_app: SlackProcess) -> Iterator[Queue]:
    with ExitStack() as people:
        queue = Queue(shared_peer, shared_app, people)
        queue.set()
        yield queue


def test_who_approves_is_named_and_the_author_hears_of_it(queue: Queue) -> None:
    posted = queue.send()
    assert queue.is_listed(queue.reviewer)

    queue.press(queue.reviewer, "approve", posted)

    said = read(queue.author.written())
    assert f"<@{queue.reviewer.user}> approved your draft" in said
    decided = queue.shown("oatfolk: approved")
    assert f"<@{queue.reviewer.user}> approved it" in read(decided)
    assert "reopen" in offers(decided)
    assert "approve" not in offers(decided)
    assert queue.rows(DECISIONS) == [(queue.reviewer.user, "approve", "")]
    assert not queue.is_listed(queue.reviewer)


@pytest.mark.parametrize(
    ("action", "decision", "word"),
    [("reject", "reject", "rejected"), ("ask_for_changes", "changes", "changes")],
)
def test_who_says_no_says_why_and_the_author_reads_it_word_for_word(
    queue: Queue, action: str, decision: str, word: str
) -> None:
    posted = queue.send()

    form = queue.ask_why(queue.reviewer, action, posted)
    assert list(queue.reviewer.saves(form, reason="  ").json["errors"]) == ["reason"]
    assert queue.reviewer.saves(form, reason=REASON).text == ""

    told = queue.author.written()
    assert word in read(told)
    # To the letter, in rich text: nothing in it formats, and it pings nobody.
    quotes = [block for block in told["blocks"] if block["type"] == "rich_text"]
    assert REASON in read({"blocks": quotes})
    assert REASON in read(queue.shown(word))
    assert queue.rows(DECISIONS) == [(queue.reviewer.user, decision, REASON)]


def test_a_review_that_is_opened_again_keeps_its_history(queue: Queue) -> None:
    posted = queue.send()
    form = queue.ask_why(queue.reviewer, "reject", posted)
    queue.reviewer.saves(form, reason="Too long.")
    queue.author.written()
    second = queue.member()

    queue.press(second, "reopen", queue.shown("rejected"))

    assert "reopened" in read(queue.author.written())
    queue.press(second, "approve", queue.shown("a draft to review"))
    assert "approved your draft" in read(queue.author.written())
    history = read(queue.shown("oatfolk: approved"))
    assert (
        history.index("rejected it") < history.index("reopened it") < history.index("approved it")
    )
    assert [decision for _, decision, _ in queue.rows(DECISIONS)] == ["reject", "reopen", "approve"]


def test_nobody_decides_on_their_own_draft_unless_the_settings_say_so(queue: Queue) -> None:
    posted = queue.send()

    queue.press(queue.author, "approve", posted)
    assert "yours" in read(queue.author.answer())
    assert queue.rows(STATUS) == [("open",)]

    queue.set(own_drafts=True)
    queue.press(queue.author, "approve", posted)
    queue.shown("oatfolk: approved")
    assert queue.rows(DECISIONS) == [(queue.author.user, "approve", "")]


def test_where_reviewers_are_named_nobody_else_decides(queue: Queue) -> None:
    queue.set(reviewers=[queue.reviewer.user])
    posted, other = queue.send(), queue.member()

    queue.press(other, "approve", posted)
    assert f"<@{queue.reviewer.user}> can" in read(other.answer())
    refused = queue.ask_why(other, "reject", posted)
    assert f"<@{queue.reviewer.user}> can" in read(refused)
    assert not queue.is_listed(other)
    assert queue.rows(DECISIONS) == []

    queue.press(queue.reviewer, "approve", posted)
    queue.shown("oatfolk: approved")


def test_of_two_reviewers_at_once_one_decides_and_both_are_heard(queue: Queue) -> None:
    posted, second = queue.send(), queue.member()
    form = queue.ask_why(second, "reject", posted)
    at_once = threading.Barrier(2)

    def together(act: Callable[[], object]) -> threading.Thread:
        def run() -> None:
            at_once.wait(30)
            act()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    threads = [
        together(lambda: queue.press(queue.reviewer, "approve", posted)),
        together(lambda: second.saves(form, reason=REASON)),
    ]
    for thread in threads:
        thread.join(60)

    queue.author.settle()
    words = queue.rows(DECISIONS)
    assert sorted(decision for _, decision, _ in words) == ["approve", "reject"]
    first = words[0][0]
    assert queue.rows(STATUS) == [({"approve": "approved", "reject": "rejected"}[words[0][1]],)]
    told = [read(queue.author.shown(call)) for call in queue.author.calls("chat.postMessage")]
    own = [said for said in told if "your draft for" in said]
    assert len(own) == 1
    assert f"<@{first}>" in own[0]
    late = second if first == queue.reviewer.user else queue.reviewer
    told_late = late.written() if late is second else late.answer()
    assert "before you" in read(told_late)
    assert f"<@{late.user}> would" in read(queue.shown(f"<@{late.user}> would"))


def test_sentences_are_labelled_on_the_review(queue: Queue) -> None:
    queue.set(labellers=[queue.reviewer.user])
    posted, other = queue.send(), queue.member()

    queue.press(queue.reviewer, "label_off", posted)

    # Several people see this message, so it names nobody.
    assert f"<@{queue.reviewer.user}>" not in read(queue.shown("1 says off-brand"))
    queue.press(other, "label_on", posted)
    assert "cannot label" in read(other.answer())
    labels = "SELECT text, label, author FROM onbrand_labels WHERE author IN ('{0}', '{1}')"
    assert queue.admin.rows(labels.format(queue.reviewer.user, other.user)) == [
        (FLAGGED, "off", queue.reviewer.user)
    ]


def test_a_decision_outlives_the_working_copy(queue: Queue) -> None:
    posted = queue.send()
    with closing(sqlite3.connect(queue.app.database, timeout=30)) as connection, connection:
        connection.execute("UPDATE onbrand_slack_sealed SET expires = 0")

    queue.press(queue.reviewer, "approve", posted)

    assert "approved your draft" in read(queue.author.written())
    decided = queue.shown("oatfolk: approved")
    assert "reopen" in offers(decided)
    assert "details" not in offers(decided)


def test_a_review_that_is_none(queue: Queue) -> None:
    posted = queue.send()
    value = element(posted, "approve")["value"]
    forged = json.loads(json.dumps(posted).replace(value, "r0000000000000000"))

    queue.press(queue.reviewer, "approve", forged)

    assert "no longer there" in read(queue.reviewer.answer())
    assert queue.rows(DECISIONS) == []
