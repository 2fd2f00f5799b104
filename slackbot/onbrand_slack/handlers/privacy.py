"""What people and workspaces ask of their data: to be forgotten, to be told, to be let go."""

from __future__ import annotations

import json

from slack_sdk.errors import SlackApiError

from onbrand.errors import OnbrandError
from onbrand.report.message import plural
from onbrand_slack.handlers import home, people, replies
from onbrand_slack.model import Audit, ForgetUser, Uninstalled
from onbrand_slack.render import words
from onbrand_slack.services import Services
from onbrand_slack.store.jobs import Job
from onbrand_slack.work.calls import Call
from onbrand_slack.work.errors import Kind, NotInstalledError, classify


def forget_user(job: Job, request: ForgetUser, services: Services) -> list[Call]:
    """Delete what is stored of a user, and say what it was."""
    counts = services.store.privacy.forget_user(job.tenant, request.user)
    found = [plural(count, what.removesuffix("s")) for what, count in counts.items() if count]
    told = f"Deleted: {', '.join(found)}." if found else "Nothing of yours is stored any more."
    return [
        replies.post(request.user, words.notice(told)),
        home.publish(job.tenant, request.user, services),
    ]


def audit(job: Job, request: Audit, services: Services) -> list[Call]:
    """Send an administrator who did what when, one JSON object a line."""
    tenant = job.tenant
    if not people.is_admin(services, tenant, request.user):
        raise OnbrandError("the audit is for admins of this workspace; ask one of them")
    services.store.privacy.note(tenant, request.user, "export")
    lines = [json.dumps(entry) for entry in services.store.privacy.audit(tenant)]
    name = f"onbrand-audit-{tenant.workspace}.jsonl"
    comment = (
        f"Everything that was checked, labelled, decided and changed: {plural(len(lines), 'entry')}"
    )
    return [replies.upload_to_user(request.user, name, "\n".join(lines) + "\n", comment)]


def uninstalled(job: Job, _request: Uninstalled, services: Services) -> list[Call]:
    """Drop what a workspace that has removed the app left here."""
    if not _is_back(job, services):
        services.store.privacy.uninstall(job.tenant)
    return []


def _is_back(job: Job, services: Services) -> bool:
    """Tell whether the app is installed again: Slack repeats events, for up to an hour."""
    try:
        services.clients.of(job.tenant).auth_test()
    except NotInstalledError:
        return False
    except SlackApiError as error:
        if classify(error).kind is not Kind.TOKEN_GONE:
            raise
        return False
    return True
