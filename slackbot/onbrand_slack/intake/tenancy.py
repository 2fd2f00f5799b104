"""Whose request it is: the workspace in which the app is installed, whoever acts there."""

from __future__ import annotations

from onbrand_slack.intake.payloads import (
    Command,
    Envelope,
    Interaction,
    Payload,
    RateLimited,
)
from onbrand_slack.model import Tenant


def tenant_of(payload: Payload | None, envelope: Envelope | None = None) -> Tenant | None:
    """Return the workspace (or organisation) that a request belongs to, None where it names none.

    In a channel that is shared between companies several workspaces are named: an event's
    ``authorizations`` and a modal's ``app_installed_team_id`` say which of them has the app.
    """
    if envelope is not None:
        return _of_event(envelope)
    if isinstance(payload, Command):
        return _tenant(payload.team_id, payload.enterprise_id)
    if isinstance(payload, Interaction):
        return _of_interaction(payload)
    if isinstance(payload, RateLimited):
        return _tenant(payload.team_id, None)
    return None


def _of_event(envelope: Envelope) -> Tenant | None:
    for installation in envelope.authorizations or ():
        organisation = installation.enterprise_id
        team = _workspace(installation.team_id, organisation) or envelope.context_team_id
        break
    else:
        team, organisation = envelope.context_team_id, envelope.context_enterprise_id
    if not envelope.is_ext_shared_channel:
        # Elsewhere the workspace of the event is that of the app.
        team = team or envelope.team_id
        organisation = organisation or envelope.enterprise_id
    return _tenant(team, organisation)


def _of_interaction(payload: Interaction) -> Tenant | None:
    team = payload.team.id if payload.team else None
    organisation = payload.enterprise.id if payload.enterprise else None
    if organisation is None and payload.team is not None:
        organisation = payload.team.enterprise_id
    view = payload.view
    # Of an App Home it can be another workspace of the same user (bolt-python #1229).
    if view is not None and view.type != "home":
        team = _workspace(view.app_installed_team_id, organisation) or team
    # Where a whole organisation has installed the app, no team is named but the user's.
    return _tenant(team or payload.user.team_id, organisation)


def _workspace(team: str | None, organisation: str | None) -> str | None:
    """Return a team's id, None where it is that of the organisation which has the app."""
    return None if team == organisation else team


def _tenant(team: str | None, organisation: str | None) -> Tenant | None:
    workspace = team or organisation
    return Tenant(workspace, organisation) if workspace else None
