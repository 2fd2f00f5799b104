"""How long work tells how far it is."""

from __future__ import annotations

import pytest

from onbrand.progress import ProgressEvent, scaled


def test_a_part_reports_within_the_whole() -> None:
    told: list[ProgressEvent] = []
    brand = scaled(told.append, "acme", start=1, size=1, total=4)
    folds = scaled(brand, start=0.2, size=0.7)
    for done in range(3):
        folds(ProgressEvent("cross-validation", done, 2, message=f"fold {done}"))
    assert [event.text for event in told] == ["acme fold 0", "acme fold 1", "acme fold 2"]
    assert [event.share for event in told] == pytest.approx([1.2 / 4, 1.55 / 4, 1.9 / 4])


def test_waiting_is_passed_on() -> None:
    told: list[ProgressEvent] = []
    waiting = ProgressEvent("waiting", message="waiting for process 7", waiting=True)
    scaled(told.append, "acme", start=2, size=1, total=4)(waiting)
    assert (told[0].waiting, told[0].text) == (True, "waiting for process 7")


def test_of_no_work_all_is_done() -> None:
    assert ProgressEvent("reading", 0, 0).share == 1.0
