"""Who a user is: what Slack says of them, and what the settings let them do."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import NamedTuple
from weakref import WeakKeyDictionary

from slack_sdk.errors import SlackApiError

from onbrand.errors import OnbrandError
from onbrand_slack.model import Tenant
from onbrand_slack.services import Services
from onbrand_slack.work.calls import Payload
from onbrand_slack.work.clients import Clients
from onbrand_slack.work.errors import Kind, classify

KEPT = 600.0
"""Seconds for which Slack's word on a user is believed."""
_MOST = 10_000


class Person(NamedTuple):
    """What Slack says of a user."""

    admin: bool
    """An admin or owner of the workspace or of its organisation."""
    stranger: bool
    """Of another company, in a channel that is shared with it."""


class People:
    """Slack's word on users, remembered for a while. Safe to use from several threads."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: dict[tuple[str, str], tuple[float, Person]] = {}
        self._lock = threading.Lock()

    def of(self, clients: Clients, tenant: Tenant, user: str) -> Person:
        """Return what Slack says of a user.

        Raises:
            OnbrandError: Slack does not know them, or will not tell.
            SlackApiError: Slack does not answer now; it may later.
        """
        key = (tenant.workspace, user)
        with self._lock:
            found = self._known.get(key)
        if found is not None and self._clock() - found[0] < KEPT:
            return found[1]
        person = _person(_ask(clients, tenant, user), tenant)
        with self._lock:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[key] = (self._clock(), person)
        return person


# As long as the clients live, that is, as long as the app.
_people: WeakKeyDictionary[Clients, People] = WeakKeyDictionary()


def person(services: Services, tenant: Tenant, user: str) -> Person:
    """Return what Slack says of a user (see `People.of`)."""
    return _people.setdefault(services.clients, People()).of(services.clients, tenant, user)


def is_admin(services: Services, tenant: Tenant, user: str) -> bool:
    """Tell whether a user may change settings; the installer may, and whom the settings name.

    Raises:
        OnbrandError: Slack does not know them, or will not tell.
    """
    who = person(services, tenant, user)
    if who.admin:
        return True
    if who.stranger:
        return False
    installed = services.store.installations.find(tenant.enterprise, tenant.workspace)
    named = services.store.settings.workspace(tenant).admins
    return user in named or (installed is not None and installed.installer == user)


def _ask(clients: Clients, tenant: Tenant, user: str) -> Payload:
    try:
        found = clients.of(tenant).users_info(user=user).get("user")
    except SlackApiError as error:
        outcome = classify(error)
        if outcome.kind in (Kind.LATER, Kind.TOKEN_GONE):
            raise
        raise OnbrandError(
            f"Slack does not say who you are ({outcome.code}), and this is not for everyone; "
            "ask an admin to install onbrand again"
        ) from None
    return found if isinstance(found, dict) else {}


def _person(user: Payload, tenant: Tenant) -> Person:
    organisation = user.get("enterprise_user") or {}
    homes = {user.get("team_id"), organisation.get("enterprise_id")}
    homes.update(organisation.get("teams") or ())
    ours = {tenant.workspace, tenant.enterprise} - {None}
    stranger = bool(user.get("is_stranger")) or not ours & homes
    flags = ("is_admin", "is_owner", "is_primary_owner")
    admin = any(who.get(flag) for who in (user, organisation) for flag in flags)
    return Person(admin=admin and not stranger, stranger=stranger)
