"""Two workspaces for handlers: the real store, real voices, and a Slack that is made up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from block_kit import problems
from slack_data import open_store
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth.installation_store.models.installation import Installation
from slack_sdk.web import SlackResponse

from onbrand import Encoder
from onbrand.errors import OnbrandError
from onbrand_slack.answer import BrandSettings
from onbrand_slack.config import Config
from onbrand_slack.handlers import HANDLERS, problem_calls
from onbrand_slack.metrics import Metrics
from onbrand_slack.model import (
    Check,
    Pasted,
    Reply,
    Request,
    SendToReview,
    Source,
    Tenant,
    ToUser,
)
from onbrand_slack.names import Action
from onbrand_slack.scoring import Scoring
from onbrand_slack.services import Services
from onbrand_slack.store import Store
from onbrand_slack.store.jobs import Job
from onbrand_slack.work.calls import RESPOND, Call, Payload

HERE, ELSEWHERE = Tenant("T1"), Tenant("T2")
BOT, INSTALLER = "UBOT", "UINSTALLER"
ONLY = "oatfolk"
"""The one brand of the second workspace; the first has all four."""
OFF = "We leverage best-in-class synergies to unlock value for our key stakeholders worldwide."
HOOK = "https://hooks.slack.com/actions/T1/1/x"
PRESSED = ToUser("C1", "UANN", response_url=HOOK)


def refusal(code: str, status: int = 200) -> SlackApiError:
    """What slack_sdk raises where Slack says no."""
    response = SlackResponse(
        client=None,
        http_verb="POST",
        api_url="",
        req_args={},
        data={"ok": False, "error": code},
        headers={},
        status_code=status,
    )
    return SlackApiError("no", response)


class FakeSlack:
    """Every method of the Web API: remembered, and answered as a test has it."""

    def __init__(self, team: str) -> None:
        self.team = team
        self.token = f"xoxb-{team}"
        self.asked: list[tuple[str, Payload]] = []
        self.answers: dict[str, Payload | Exception] = {}
        self.users: dict[str, Payload] = {}
        self.messages: list[Payload] = []

    def __getattr__(self, method: str) -> Callable[..., Payload]:
        if method.startswith("__"):
            raise AttributeError(method)

        def ask(**arguments: Any) -> Payload:
            self.asked.append((method, arguments))
            answer = self.answers.get(method)
            if isinstance(answer, Exception):
                raise answer
            return answer if answer is not None else self._usual(method, arguments)

        return ask

    def _usual(self, method: str, arguments: Payload) -> Payload:
        if method == "users_info":
            user = arguments["user"]
            return {"user": {"id": user, "team_id": self.team, **self.users.get(user, {})}}
        if method == "files_info":
            id = arguments["file"]  # noqa: A001 - Slack's name
            url = "https://files.slack.com/x"
            return {"file": {"id": id, "name": f"{id}.txt", "url_private": url}}
        if method in ("conversations_history", "conversations_replies"):
            return {"messages": list(self.messages)}
        return {"ok": True}


class World:
    """The services with a fake Slack, and what handlers made of jobs."""

    def __init__(self, services: Services, slacks: dict[str, FakeSlack]) -> None:
        self.services = services
        self.slack = slacks[HERE.workspace]
        self.slacks = slacks
        self._count = 0

    @property
    def store(self) -> Store:
        return self.services.store

    def job(self, request: Request, *, tenant: Tenant = HERE, key: str = "", **more: Any) -> Job:
        self._count += 1
        made = {"id": self._count, "attempts": 1, "again": False, **more}
        return Job(tenant=tenant, request=request, key=key or f"key{self._count}", **made)

    def run(self, request: Request, *, tenant: Tenant = HERE, **more: Any) -> list[Call]:
        """Run a job as the runner does, and see to it that Slack would take all that it makes."""
        job = self.job(request, tenant=tenant, **more)
        try:
            calls = HANDLERS[type(request)].run(job, self.services)
        except OnbrandError as error:
            calls = problem_calls(job, error.message)
        check_payloads(calls)
        return calls


@contextmanager
def world(tmp_path: Path, scoring: Scoring) -> Iterator[World]:
    """Open the two workspaces."""
    slacks = {tenant.workspace: FakeSlack(tenant.workspace) for tenant in (HERE, ELSEWHERE)}
    clients = _Clients(slacks)
    with open_store(tmp_path / "slack.db") as store:
        for team, slack in slacks.items():
            store.installations.bolt.save(
                Installation(
                    app_id="A1",
                    team_id=team,
                    bot_token=slack.token,
                    bot_id="B1",
                    bot_user_id=BOT,
                    user_id=INSTALLER,
                )
            )
        services = Services(
            config=_config(tmp_path, str(tmp_path / "slack.db")),
            store=store,
            labels=store.labels,
            scoring=scoring,
            clients=clients,  # type: ignore[arg-type]
            metrics=Metrics(),
        )
        yield World(services, slacks)


def scoring_of(encoder: Encoder, example_voices: Path, folder: Path) -> Scoring:
    """Give the first workspace all example voices, the second one of them."""
    (folder / HERE.workspace).symlink_to(example_voices, target_is_directory=True)
    other = folder / ELSEWHERE.workspace
    other.mkdir()
    (other / ONLY).symlink_to(example_voices / ONLY, target_is_directory=True)
    return Scoring(_config(folder, "unused.db"), encoder=encoder)


class _Clients:
    def __init__(self, slacks: dict[str, FakeSlack]) -> None:
        self._slacks = slacks

    def of(self, tenant: Tenant) -> FakeSlack:
        return self._slacks[tenant.workspace]

    once = of


def _config(voices: Path, database: str) -> Config:
    return Config(transport="http", voices=voices, database=database)


# --- what becomes of calls ----------------------------------------------------------------------


def ways(call: Call) -> list[Call]:
    """A call and what is tried instead of it."""
    return [call, *(way for other in call.instead for way in ways(other))]


def carried_out(
    calls: Sequence[Call], refused: Callable[[Call], bool] = lambda _: False
) -> list[Call]:
    """The calls that Slack takes, in order, with those that its answers lead to."""
    done = []
    for call in calls:
        taken = next((way for way in ways(call) if not refused(way)), None)
        if taken is None:
            continue
        done.append(taken)
        follow = taken.then(_answer(taken)) if taken.then else None
        if follow:
            check_payloads(follow)
            done += carried_out(follow, refused)
    return done


def _answer(call: Call) -> Payload:
    if call.method == "conversations.open":
        return {"ok": True, "channel": {"id": f"D{call.arguments['users']}"}}
    if call.method == "chat.getPermalink":
        return {"ok": True, "permalink": "https://acme.slack.com/archives/C1/p1"}
    return {"ok": True, "channel": call.channel, "ts": "1700000000.000900"}


def shown(call: Call) -> Payload | None:
    """The message or view of a call."""
    arguments = call.arguments
    if call.method == RESPOND:
        return dict(arguments["body"])
    if call.method.startswith("views."):
        return dict(arguments["view"])
    return dict(arguments) if call.method.startswith("chat.") and "text" in arguments else None


def text_of(call: Call) -> str:
    """All that is to be read of a call."""
    return repr(shown(call) or dict(call.arguments))


def check_payloads(calls: Sequence[Call]) -> None:
    """Every message and view passes the gate, on whatever way it goes."""
    for call in (way for each in calls for way in ways(each)):
        payload = shown(call)
        if payload is None:
            continue
        if "blocks" in payload:
            assert problems(payload) == [], call.method
        else:
            assert payload["text"].strip()


def buttons(payload: Payload) -> dict[str, str]:
    """Values by action id, of what can be pressed."""
    found: dict[str, str] = {}

    def walk(node: Any) -> None:
        if isinstance(node, dict):
            if "action_id" in node:
                found.setdefault(node["action_id"], node.get("value", ""))
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(payload)
    return found


def checked(slack: World, user: str = "UANN", text: str = OFF) -> str:
    """Let a user check a draft, one that is off-brand, and return the check's ticket."""
    request = Check(user, Source.COMMAND, Pasted(text), PRESSED, channel="C1", brand=ONLY)
    (call,) = slack.run(request)
    return buttons(shown(call))[Action.DETAILS]


def sent(slack: World, ticket: str, user: str = "UANN", reply: Reply = PRESSED) -> list[Call]:
    """Let a user send such a draft to review, and return what that makes of it."""
    return carried_out(slack.run(SendToReview(user, ticket, reply)))


def use_review_channel(slack: World, **settings: object) -> None:
    """Let the drafts of the brand be reviewed in a channel."""
    stored = BrandSettings(ONLY, review_channel="CREV", **settings)
    slack.store.settings.set_brand(HERE, stored, "UBOSS")


def in_review(slack: World, user: str = "UANN", **settings: object) -> str:
    """Let a user check a draft and send it to review, and return the review's id."""
    use_review_channel(slack, **settings)
    sent(slack, checked(slack, user), user)
    return slack.store.reviews.of_author(HERE, user)[0].id
