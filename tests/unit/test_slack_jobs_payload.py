"""Every kind of request as the table of jobs keeps it."""

from __future__ import annotations

from typing import get_args

import pytest

from onbrand_slack import model
from onbrand_slack.store.payload import decode, encode, storable

TO_USER = model.ToUser("C1", "U1", thread="1.2", response_url="https://hooks.slack.com/x")
REQUESTS = [
    *(
        model.Check("U1", model.Source.MENTION, draft, reply, channel="C1", previous="c1.k")
        for draft, reply in [
            (model.Pasted("A draft.", "markdown"), TO_USER),
            (model.Files(("F1", "F2")), model.ToConversation("D1", "1.2")),
            (model.MessageAt("C1", "1.2", "1.1"), model.ToView("V1", "U1")),
            (model.ThreadAt("C1", "1.1"), model.ToWorkflow("Fx1", "C1")),
            (model.Sealed("c1.k"), TO_USER),
        ]
    ),
    model.Label("U1", "c1.k#4", "on", TO_USER, page=2),
    model.Share("U1", "c1.k", "C1"),
    model.SendReport("U1", "c1.k", TO_USER),
    model.SendToReview("U1", "c1.k", TO_USER),
    model.Decide("U1", "r1", "reject", "too loud"),
    model.Home("U1"),
    model.Prompts("D1", "U1"),
    model.Say("U1", "use", TO_USER, brand="acme"),
    model.Configure("U1", {"gate": 0.5, "admins": ["U1"], "own_drafts": True, "day": None}),
    model.Digest("acme", "2026-W47"),
    model.ForgetUser("U1"),
    model.Audit("U1"),
    model.Uninstalled(),
]


def test_every_kind_comes_back() -> None:
    assert {type(request) for request in REQUESTS} == set(get_args(model.Request))
    for request in REQUESTS:
        assert decode(encode(request)) == request


@pytest.mark.parametrize("payload", [b"", b"{}", b'{"type":"new"}', b'{"type":"home"}', b"\xff"])
def test_what_this_version_does_not_know(payload: bytes) -> None:
    assert decode(payload) is None


def test_half_a_surrogate_pair_becomes_a_question_mark() -> None:
    decided = model.Decide("U\udc00", "r1", "reject", "a \ud83d b \0")
    assert decode(encode(decided)) == model.Decide("U?", "r1", "reject", "a ? b \0")


def test_keys_are_short_and_storable() -> None:
    assert storable("msg:C1:1.2") == "msg:C1:1.2"
    assert storable("a\0\ud800") == "a\ufffd\ufffd"
    assert len({storable("x" * 1000), storable("x" * 1001), storable("x" * 128)}) == 3
    assert len(storable("ü" * 1000).encode()) <= 4 * 128
