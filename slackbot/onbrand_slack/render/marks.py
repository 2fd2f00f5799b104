"""People, channels, times and links in mrkdwn, from what Slack or the store calls them."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from onbrand_slack.render.text import escape

_ID = re.compile("[A-Z0-9]{1,40}")
_TS = re.compile(r"\d{1,20}\.\d{1,10}")


def person(id_: str) -> str:
    """Return a person's name, or "someone" whose data was deleted. A new message pings them."""
    return f"<@{id_}>" if _ID.fullmatch(id_) else "someone"


def place(id_: str) -> str:
    """Return a channel's name, or "a direct message" where it has none."""
    # Slack shows <#D…> as "unknown-channel".
    is_channel = _ID.fullmatch(id_) and not id_.startswith("D")
    return f"<#{id_}>" if is_channel else "a direct message"


def people(ids: tuple[str, ...], most: int = 10) -> str:
    """Return names with commas, and how many more there are."""
    named = ", ".join(person(id_) for id_ in ids[:most])
    return named + (f" and {len(ids) - most} more" if len(ids) > most else "")


def moment(time: datetime) -> str:
    """Return a time as Slack shows it to each reader, in their own zone and language."""
    utc = time.astimezone(UTC)
    said = utc.strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{int(utc.timestamp())}^{{date_short_pretty}} at {{time}}|{said}>"


def link(url: str, text: str) -> str:
    """Return a link; just the text where the address is none."""
    if not url.startswith(("https://", "http://")) or re.search(r"[\s<>|]", url):
        return escape(text)
    return f"<{url.replace('&', '&amp;')}|{escape(text).replace('|', '¦')}>"


def message_url(channel: str | None, ts: str | None) -> str | None:
    """Return the address of a message; Slack leads from it to the reader's own workspace."""
    if not (channel and ts and _ID.fullmatch(channel) and _TS.fullmatch(ts)):
        return None
    return f"https://slack.com/archives/{channel}/p{ts.replace('.', '')}"
