"""Signed requests, sent all at the same time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp


@dataclass(frozen=True, slots=True)
class Timed:
    """How one request was answered."""

    status: int
    seconds: float
    text: str


Burst = Sequence[tuple[str, dict[str, str]]]
"""Bodies and headers."""


def send_all(url: str, burst: Burst) -> list[Timed]:
    """Send requests at the same time and return the answers in their order."""
    return asyncio.run(_send_all(f"{url}/slack/events", burst))


async def _send_all(url: str, burst: Burst) -> list[Timed]:
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def send(body: str, headers: dict[str, str]) -> Timed:
            started = time.perf_counter()
            async with session.post(url, data=body.encode(), headers=headers) as answer:
                text = await answer.text()
            return Timed(answer.status, time.perf_counter() - started, text)

        return await asyncio.gather(*(send(body, headers) for body, headers in burst))
