"""Whatever Slack does: a channel reads in order, each job ends once, no call is lost."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import groupby
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st
from slack_work import Clock, FakeInstallations, MemoryJobs, ScriptedSlack, config, job, run_dry

from onbrand_slack.metrics import Metrics
from onbrand_slack.work.calls import RESPOND, Call
from onbrand_slack.work.clients import Clients
from onbrand_slack.work.errors import Kind, Outcome
from onbrand_slack.work.poster import Poster

LATER = [
    Outcome(Kind.LATER, "ratelimited", retry_after=7.0),
    Outcome(Kind.LATER, "http_500", doubtful=True),
    Outcome(Kind.LATER, "URLError"),
]
REFUSED = [
    Outcome(Kind.TOO_LONG, "msg_blocks_too_long"),
    Outcome(Kind.UNREACHABLE, "channel_not_found"),
    Outcome(Kind.MISSING_SCOPE, "missing_scope"),
    Outcome(Kind.REFUSED, "invalid_arguments"),
]
GONE = Outcome(Kind.TOKEN_GONE, "token_revoked")
METHODS = ["chat.postMessage", "chat.postEphemeral", "chat.update", "views.update", RESPOND]

AWAY = "away for hours"

outcomes = st.lists(st.sampled_from([*LATER, *REFUSED]), max_size=4) | st.just(AWAY)
calls = st.tuples(
    st.sampled_from(METHODS),
    st.sampled_from(["C1", "C2", "C3"]),
    outcomes,
    st.booleans(),
    st.lists(outcomes, max_size=2),
)
plans = st.lists(
    st.tuples(st.lists(calls, max_size=4), st.floats(0, 5), st.integers(1, 3), st.booleans()),
    min_size=1,
    max_size=8,
)


@dataclass
class World:
    """Jobs of a plan, their calls by text, and what Slack answers to each."""

    scripts: dict[str, list[Outcome]]
    calls: dict[int, list[Call]]

    def call(self, text: str, method: str, channel: str, script: list[Outcome] | str) -> Call:
        self.scripts[text] = [LATER[0]] * 500 if script == AWAY else list(script)
        if method == RESPOND:
            return Call(RESPOND, {"url": f"https://hooks.slack.com/{text}", "body": {"text": text}})
        if method == "views.update":
            return Call(method, {"view_id": text, "text": text})
        return Call(method, {"channel": channel, "text": text})


def world_of(plan: list) -> World:
    world = World({}, {})
    for number, (planned, _, _, _) in enumerate(plan, start=1):
        made = []
        for index, (method, channel, script, optional, others) in enumerate(planned):
            name = f"{number}.{index}"
            instead = tuple(
                world.call(f"{name}.{way}", METHODS[way], f"U{number}", other)
                for way, other in enumerate(others, start=1)
            )
            first = world.call(f"{name}.0", method, channel, script)
            made.append(Call(first.method, first.arguments, instead=instead, optional=optional))
        world.calls[number] = made
    return world


@settings(max_examples=100, deadline=None)
@given(plan=plans, gone=st.integers(0, 30))
def test_whatever_slack_does(plan: list, gone: int) -> None:
    world = world_of(plan)
    # Somewhere on the way, perhaps, the token is revoked for one call.
    for script in list(world.scripts.values())[gone : gone + 1]:
        script.append(GONE)
    jobs = [job(n, attempts=p[2], again=p[3]) for n, p in enumerate(plan, start=1)]
    queue, clock = MemoryJobs.claimed(*jobs), Clock()
    slack = ScriptedSlack(clock, world.scripts)
    with mock.patch("onbrand_slack.work.poster.deliver", slack):
        poster = Poster(
            Clients(config(), FakeInstallations()),
            queue,
            Metrics(),
            worker="w",
            complain=lambda job, _: [Call("views.update", {"view_id": "V", "text": f"p{job.id}"})],
            threads=0,
            clock=clock,
        )
        for given_job, (_, pause, _, _) in zip(jobs, plan, strict=True):
            poster.submit(given_job, world.calls[given_job.id])
            until = clock.now + pause
            while (due := poster.next_due()) is not None and due <= until:
                clock.now = max(clock.now, due)
                poster.step()
            clock.now = until
        run_dry(poster, clock)

    assert len(poster) == 0
    each_job_ends_once(queue)
    no_call_is_lost(world, slack, queue)
    channels_are_served_in_order(world, slack)
    pace_is_kept(slack)


def each_job_ends_once(queue: MemoryJobs) -> None:
    for row in queue.rows.values():
        ends = [entry for entry in row.log if entry in ("done", "failed", "queued")]
        assert len(ends) == 1, row.log


def no_call_is_lost(world: World, slack: ScriptedSlack, queue: MemoryJobs) -> None:
    """Every call was tried, and by one way delivered unless every way was refused."""
    left = {text: list(script) for text, script in world.scripts.items()}
    delivered: set[str] = set()
    revoked: set[str] = set()
    for _, _, text in slack.tried:
        if text in left:
            outcome = left[text].pop(0) if left[text] else None
            name = text.rpartition(".")[0]
            if outcome is None:
                assert name not in delivered, f"{name} was delivered twice"
                delivered.add(name)
            elif outcome is GONE:
                revoked.add(name.partition(".")[0])
    for number, planned in world.calls.items():
        state = queue.rows[number].state
        if state == "queued" or str(number) in revoked:
            continue
        for index, call in enumerate(planned):
            name = f"{number}.{index}"
            assert f"{name}.0" in slack.texts, f"{name} was never tried"
            if state == "done" and not call.optional:
                assert name in delivered, f"{name} is lost"


def channels_are_served_in_order(world: World, slack: ScriptedSlack) -> None:
    by_channel: dict[str, list[str]] = defaultdict(list)
    for _, call, text in slack.tried:
        if call.channel is not None:
            by_channel[call.channel].append(text)
    for channel, texts in by_channel.items():
        runs = [text for text, _ in groupby(texts)]
        assert len(runs) == len(set(runs)), f"another call came between two tries in {channel}"
        # First calls stand in line from the moment when their jobs were handed over.
        served = [int(text.partition(".")[0]) for text in runs if text.endswith(".0.0")]
        assert served == sorted(served)


def pace_is_kept(slack: ScriptedSlack) -> None:
    times: dict[str, list[float]] = defaultdict(list)
    for time, call, _ in slack.tried:
        if call.method == "chat.postMessage":
            times[str(call.channel)].append(time)
    for posts in times.values():
        for burst in range(3, len(posts)):
            for first, last in zip(posts, posts[burst:], strict=False):
                assert last - first >= burst - 2 - 1e-6, "more than one a second after a burst"
