"""Time limits that no trickle of bytes puts off."""

from __future__ import annotations

import socket

import pytest

from onbrand_releases import web
from onbrand_releases.web import MIN_BYTES, PATIENCE, TIMEOUT, Deadline, Interrupted


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(web, "monotonic", clock)
    return clock


def test_silence_is_borne_for_as_long_as_is_left(clock: Clock) -> None:
    limit = Deadline("too late")
    assert limit.left() == TIMEOUT
    clock.now += PATIENCE - 1
    assert (limit.left(), limit.passed) == (1, False)
    clock.now += 1
    assert limit.passed
    with pytest.raises(Interrupted, match="too late"):
        limit.left()


def test_a_trickle_ends(clock: Clock) -> None:
    limit = Deadline("too late")
    for _ in range(int(PATIENCE) - 1):
        clock.now += 1
        limit.count(MIN_BYTES // int(PATIENCE) - 1)
        assert limit.left() > 0
    clock.now += 1
    with pytest.raises(Interrupted, match="too late"):
        limit.left()


def test_a_slow_but_honest_server_may_take_for_ever(clock: Clock) -> None:
    limit = Deadline("too late")
    for _ in range(1000):
        clock.now += PATIENCE / 4 - 0.01
        limit.count(MIN_BYTES // 4)
        assert limit.left() > 0


def found(*ports: int) -> list[tuple[object, ...]]:
    return [
        (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", port))
        for port in ports
    ]


def test_a_host_may_have_addresses_where_nobody_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # and does not listen
        alive, dead = server.getsockname()[1], bound.getsockname()[1]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found(dead, alive))
        with web._connect(Deadline("too late"), ("brand.example.com", 443)) as sock:
            assert sock.getpeername()[1] == alive
            assert sock.gettimeout() == pytest.approx(TIMEOUT)
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found(dead, dead))
        with pytest.raises(ConnectionRefusedError):
            web._connect(Deadline("too late"), ("brand.example.com", 443))


def test_no_address_is_tried_when_the_time_is_over(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = Deadline("too late")
    clock.now += PATIENCE
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found(9))
    with pytest.raises(Interrupted, match="too late"):
        web._connect(limit, ("brand.example.com", 443))
