"""For tests of the runner: one in front of a server, with a queue in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

from slack_server import SlackServer
from slack_work import FakeInstallations, config, post, wait_until

from onbrand_slack.metrics import Metrics
from onbrand_slack.model import Check, Home, Pasted, Source, ToConversation
from onbrand_slack.services import Services
from onbrand_slack.store.jobs import Job
from onbrand_slack.work.calls import Call
from onbrand_slack.work.clients import Clients
from onbrand_slack.work.runner import Runner

POST = "/api/chat.postMessage"
SECRET = "the draft nobody may read"
DRAFT = Check("U1", Source.COMMAND, Pasted(SECRET), ToConversation("D1"))


@dataclass
class Handler:
    run: Callable[[Job, Services], Sequence[Call]]


def complain(job: Job, sentence: str) -> Sequence[Call]:
    return [post("U1", f"{job.id}: {sentence}")]


class Desk:
    """A runner in front of a server, with a queue in memory."""

    def __init__(self, server: SlackServer, jobs: Any) -> None:
        self.server = server
        self.jobs = jobs
        self.run: Callable[[Job, Services], Sequence[Call]] = lambda job, _: [
            post(f"C{job.id}", str(job.id))
        ]
        self.installations = FakeInstallations()
        settings = config(server.api_url, workers=2)
        self.services: Any = SimpleNamespace(
            config=settings,
            store=SimpleNamespace(jobs=jobs),
            clients=Clients(settings, self.installations),
            metrics=Metrics(),
            wake=None,
        )
        handler = Handler(lambda job, services: self.run(job, services))
        self.runner = Runner(self.services, {Home: handler, Check: handler}, complain, worker="w")

    @property
    def texts(self) -> list[str]:
        return [got.json["text"] for got in self.server.of(POST)]

    def wait_for(self, *states: str) -> None:
        wait_until(lambda: self.jobs.states() == list(states), f"{states}")
