"""The store against the simplest thing that could be right: a list that is gone through again."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from onbrand.labels.model import Label
from onbrand.labels.store import LabelStore

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
labels = st.builds(
    Label,
    text=st.sampled_from(["One.", " One. ", "Two.", "Three."]),
    brand=st.sampled_from(["acme", "beta"]),
    label=st.sampled_from(["on", "off"]),
    author=st.sampled_from(["ann", "bob", "cy", ""]),
    time=st.none() | st.integers(0, 3).map(lambda second: LONG_AGO + timedelta(seconds=second)),
    id=st.none() | st.sampled_from(["1", "2", "3"]),
)


class Words(RuleBasedStateMachine):
    """Labels are added and authors forgotten; the present must follow from what was said."""

    store: LabelStore

    def __init__(self) -> None:
        super().__init__()
        self.mine = self.store.workspace(uuid4().hex)
        self.said: list[Label] = []

    @rule(batch=st.lists(labels, max_size=6))
    def add(self, batch: list[Label]) -> None:
        new = [label for label in batch if self._is_new(label)]
        assert self.mine.add(batch) == len(new)

    def _is_new(self, label: Label) -> bool:
        """Whether the label says something, which the list then holds."""
        own = [each for each in self._ordered() if self._speaker(each) == self._speaker(label)]
        if label.id is not None:
            if any(each.id == label.id for each in self.said):
                return False
        elif label.time is None and own and own[-1].label == label.label:
            return False
        if label.time and any((e.time, e.label) == (label.time, label.label) for e in own):
            return False
        self.said.append(label)
        return True

    def _ordered(self) -> list[Label]:
        """What was said, by time: words without one after those with one."""
        return sorted(self.said, key=lambda label: label.time or datetime.max.replace(tzinfo=UTC))

    @staticmethod
    def _speaker(label: Label) -> tuple[str, str, str]:
        return label.brand, label.text.strip(), label.author

    @rule(author=st.sampled_from(["ann", "bob"]))
    def forget(self, author: str) -> None:
        gone = [label for label in self.said if label.author == author]
        assert self.mine.forget(author) == len(gone)
        self.said = [label for label in self.said if label.author != author]

    @invariant()
    def every_word_is_kept_once(self) -> None:
        def fields(label: Label) -> tuple[str | None, ...]:
            return label.text, label.brand, label.label, label.author, label.id

        stored, said = map(fields, self.mine.history()), map(fields, self.said)
        assert sorted(map(repr, stored)) == sorted(map(repr, said))

    @invariant()
    def words_are_found_by_their_texts(self) -> None:
        history = self.mine.history()
        for texts in ([], ["One."], ["  Two.\n", "One.", "One. ", "Nobody said this."]):
            wanted = {" ".join(text.split()) for text in texts}
            for brand in ("acme", "beta", "gamma"):
                said = [w for w in history if w.brand == brand and w.text.strip() in wanted]
                assert self.mine.entries(brand, texts) == said

    @invariant()
    def last_words_are_counted(self) -> None:
        votes: defaultdict[tuple[str, str], dict[str, str]] = defaultdict(dict)
        for label in self._ordered():
            votes[label.brand, label.text.strip()][label.author] = label.label
        expected = {}
        for text, by_author in votes.items():
            on = list(by_author.values()).count("on")
            off = len(by_author) - on
            expected[text] = (on, off, "on" if on > off else "off" if off > on else None)
        current = {
            (each.brand, each.text.strip()): (each.votes_on, each.votes_off, each.label)
            for each in self.mine.current()
        }
        assert current == expected
        assert {(e.brand, e.text.strip()) for e in self.mine.disputed()} == {
            text for text, (on, off, _) in expected.items() if on and off
        }
        assert len(self.mine.training_lines()) == sum(1 for *_, x in expected.values() if x)


class TestWords(Words.TestCase):
    """One store for all runs, a workspace for each: opening a new file is what takes time."""

    settings = settings(max_examples=40, stateful_step_count=15, deadline=None)

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        Words.store = LabelStore.open(Path(folder.name, "labels.db"))
        cls.addClassCleanup(Words.store.close)
