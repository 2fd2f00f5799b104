"""Reviews against the simplest thing that could be right: going through the words in order."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import get_args
from uuid import uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from slack_data import Data

from onbrand_slack.answer import Decision, Status
from onbrand_slack.model import Tenant

RESULT: dict[Decision, Status] = {
    "approve": "approved",
    "reject": "rejected",
    "changes": "changes",
    "reopen": "open",
}


class Reviewing(RuleBasedStateMachine):
    """Two reviews are decided on in any order, some deliveries coming twice."""

    data: Data

    def __init__(self) -> None:
        super().__init__()
        self.tenant = Tenant(uuid4().hex)
        self.words: dict[str, list[tuple[str, Decision]]] = {}
        self.status: dict[str, Status] = {}
        self.counted: dict[str, bool] = {}
        self.said: dict[str, tuple[str, str, Decision]] = {}

    @initialize()
    def open(self) -> None:
        for _ in range(2):
            review, _ = self.data.reviews.open_for(self.tenant, self.data.check(self.tenant), "U1")
            self.words[review.id], self.status[review.id] = [], "open"

    @rule(
        which=st.integers(0, 1),
        user=st.sampled_from(["U1", "U2"]),
        decision=st.sampled_from(get_args(Decision)),
    )
    def decide(self, which: int, user: str, decision: Decision) -> None:
        review, key = list(self.words)[which], f"k{len(self.said)}"
        self.said[key] = review, user, decision
        self.words[review].append((user, decision))
        if self.status[review] == "open":
            self.counted[key] = decision != "reopen"
        else:
            self.counted[key] = decision == "reopen"
        if self.counted[key]:
            self.status[review] = RESULT[decision]
        self._deliver(key)

    @rule(number=st.integers(0, 30))
    def deliver_again(self, number: int) -> None:
        if self.said:
            self._deliver(f"k{number % len(self.said)}")

    def _deliver(self, key: str) -> None:
        review, user, decision = self.said[key]
        after, counts = self.data.reviews.decide(self.tenant, review, user, decision, "", key)
        assert (after.id, counts) == (review, self.counted[key])

    @invariant()
    def no_word_is_lost_and_the_status_follows(self) -> None:
        for own, words in self.words.items():
            review = self.data.reviews.get(self.tenant, own)
            assert review is not None
            assert [(word.user, word.decision) for word in review.history] == words
            assert review.status == self.status[own]
        waiting = {review.id for review in self.data.reviews.waiting(self.tenant)}
        assert waiting == {own for own, status in self.status.items() if status == "open"}


class TestReviewing(Reviewing.TestCase):
    """One store for all runs, a workspace for each: opening a new file is what takes time."""

    settings = settings(max_examples=40, stateful_step_count=20, deadline=None)

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        Reviewing.data = Data.open(str(Path(folder.name, "slack.db")))
        cls.addClassCleanup(Reviewing.data.close)
