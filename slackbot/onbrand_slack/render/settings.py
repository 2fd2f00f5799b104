"""Settings: of a workspace, of a channel, of a brand."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from onbrand_slack.answer import BrandSettings, WorkspaceSettings
from onbrand_slack.names import Action, View
from onbrand_slack.render import elements as el
from onbrand_slack.render import inputs, marks
from onbrand_slack.render.inputs import Entered, Remembered, State, Value
from onbrand_slack.render.text import escape
from onbrand_slack.work.calls import Payload

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
RETENTION = {0: "Not at all", 7: "7 days", 30: "30 days", 90: "90 days", 365: "A year"}
"""Days for which drafts can be kept."""
GATE_RANGE = (0.01, 0.99)

# --- workspace and channel --------------------------------------------------------------------


def workspace_modal(
    settings: WorkspaceSettings, channel: str | None = None, channel_brand: str | None = None
) -> Payload:
    """Return the modal for a workspace's settings, and for a channel's brand where one is named."""
    blocks = [] if channel is None else _channel_blocks(channel, channel_brand)
    options = {str(days): text for days, text in _retentions(settings.retention_days).items()}
    blocks += [
        el.input_block(
            "Keep the text of drafts",
            inputs.choice(Action.RETENTION, options, str(settings.retention_days)),
            hint=(
                "For the App Home's list of checks. However this stands, a working copy is kept "
                "encrypted for a day, and only the buttons of the answer can open it."
            ),
        ),
        el.input_block(
            "Who may change settings",
            inputs.people_box(Action.ADMINS, settings.admins, "Choose people"),
            hint="Besides the admins and owners of this workspace.",
            optional=True,
        ),
    ]
    metadata = str(Remembered(channel=channel))
    return el.modal(
        View.SETTINGS, "onbrand settings", blocks, metadata=metadata, submit="Save", close="Cancel"
    )


def _channel_blocks(channel: str, brand: str | None) -> list[Payload]:
    initial = el.option(brand, brand) if brand else None
    return [
        el.section(f"*{marks.place(channel)}*"),
        el.input_block(
            "Brand of this channel",
            el.external_select(Action.CHANNEL_BRAND, "No brand of its own", initial),
            hint="Drafts that are checked here without naming a brand are checked as this one.",
            optional=True,
        ),
        el.divider(),
        el.section("*This workspace*"),
    ]


def _retentions(days: int) -> dict[int, str]:
    """Return the choices, with the stored one among them whatever it is."""
    return dict(sorted((RETENTION | {days: RETENTION.get(days, f"{days} days")}).items()))


def read_workspace(view: object) -> Entered:
    """Read the workspace's modal; `Remembered.of` has the channel."""
    state = State(view)
    values: dict[str, Value] = {Action.ADMINS: state.people(Action.ADMINS)}
    if Action.CHANNEL_BRAND in state:
        values[Action.CHANNEL_BRAND] = inputs.brand_or_none(state.chosen(Action.CHANNEL_BRAND))
    days = _whole(state.chosen(Action.RETENTION), 3650)
    if days is None:
        return Entered(errors={Action.RETENTION: "Choose how long drafts are kept."})
    return Entered(values | {Action.RETENTION: days})


def workspace_of(values: Mapping[str, Value]) -> WorkspaceSettings:
    """Return the settings that `read_workspace` read."""
    days, admins = values.get(Action.RETENTION), values.get(Action.ADMINS)
    return WorkspaceSettings(
        retention_days=days if isinstance(days, int) else 0, admins=_people(admins)
    )


# --- brands -----------------------------------------------------------------------------------


def brand_modal(settings: BrandSettings, voice_gate: float) -> Payload:
    """Return the modal for a brand's settings; ``voice_gate`` counts where no gate is set."""
    return el.modal(
        View.BRAND_SETTINGS,
        f"Settings: {settings.brand}",
        [*_review_blocks(settings, voice_gate), el.divider(), *_digest_blocks(settings)],
        metadata=str(Remembered(brand=settings.brand)),
        submit="Save",
        close="Cancel",
    )


def _review_blocks(settings: BrandSettings, voice_gate: float) -> list[Payload]:
    invite = "Invite onbrand there first: /invite @onbrand"
    low, high = GATE_RANGE
    everyone = "Everyone of this workspace"
    own = "Reviewers may decide on their own drafts"
    return [
        el.section(f"*Review of {escape(settings.brand)}*"),
        el.input_block(
            "Gate",
            inputs.number_box(
                Action.GATE,
                low=low,
                high=high,
                initial=settings.gate,
                placeholder=f"{voice_gate:.2f}",
            ),
            hint=(
                f"A draft goes forward from this P(on-brand) on. Empty: {voice_gate:.2f}, which "
                "the brand's voice was trained with."
            ),
            optional=True,
        ),
        el.input_block(
            "Review channel",
            inputs.channel_box(Action.REVIEW_CHANNEL, settings.review_channel, "No review"),
            hint=f"Where drafts below the gate can be sent to. {invite}",
            optional=True,
        ),
        el.input_block(
            "Who may decide",
            inputs.people_box(Action.REVIEWERS, settings.reviewers, everyone),
            optional=True,
        ),
        el.input_block(
            "Own drafts",
            inputs.tick_box(Action.OWN_DRAFTS, own, ticked=settings.own_drafts),
            optional=True,
        ),
        el.input_block(
            "Who may label sentences",
            inputs.people_box(Action.LABELLERS, settings.labellers, everyone),
            hint="Labels On-brand and Off-brand are what the brand's voice is next trained with.",
            optional=True,
        ),
    ]


def _digest_blocks(settings: BrandSettings) -> list[Payload]:
    days = {str(number): day for number, day in enumerate(DAYS)}
    hours = {str(hour): f"{hour:02}:00" for hour in range(24)}
    return [
        el.section("*Weekly digest*"),
        el.input_block(
            "Channel",
            inputs.channel_box(Action.DIGEST_CHANNEL, settings.digest_channel, "No digest"),
            optional=True,
        ),
        el.input_block("Day", inputs.choice(Action.DIGEST_DAY, days, str(settings.digest_day % 7))),
        el.input_block(
            "Hour (UTC)", inputs.choice(Action.DIGEST_HOUR, hours, str(settings.digest_hour % 24))
        ),
    ]


def read_brand(view: object) -> Entered:
    """Read a brand's modal; `Remembered.of` has the brand."""
    state = State(view)
    gate, wrong = _gate(state.text(Action.GATE))
    values: dict[str, Value] = {
        Action.GATE: gate,
        Action.REVIEW_CHANNEL: state.channel(Action.REVIEW_CHANNEL),
        Action.REVIEWERS: state.people(Action.REVIEWERS),
        Action.OWN_DRAFTS: state.ticked(Action.OWN_DRAFTS),
        Action.LABELLERS: state.people(Action.LABELLERS),
        Action.DIGEST_CHANNEL: state.channel(Action.DIGEST_CHANNEL),
        Action.DIGEST_DAY: _whole(state.chosen(Action.DIGEST_DAY), 6) or 0,
        Action.DIGEST_HOUR: _whole(state.chosen(Action.DIGEST_HOUR), 23) or 0,
    }
    return Entered(values, {Action.GATE: wrong} if wrong else {})


def brand_of(brand: str, values: Mapping[str, Value]) -> BrandSettings:
    """Return the settings that `read_brand` read."""
    gate, day, hour = (values.get(key) for key in ("gate", "digest_day", "digest_hour"))
    review, digest = values.get(Action.REVIEW_CHANNEL), values.get(Action.DIGEST_CHANNEL)
    return BrandSettings(
        brand,
        review_channel=review if isinstance(review, str) else None,
        gate=float(gate) if isinstance(gate, int | float) else None,
        labellers=_people(values.get(Action.LABELLERS)),
        reviewers=_people(values.get(Action.REVIEWERS)),
        own_drafts=bool(values.get(Action.OWN_DRAFTS)),
        digest_channel=digest if isinstance(digest, str) else None,
        digest_day=day if isinstance(day, int) else 0,
        digest_hour=hour if isinstance(hour, int) else 9,
    )


def _gate(text: str) -> tuple[float | None, str]:
    """Return the gate, or what is wrong; a comma is a point in half of the world."""
    if not text:
        return None, ""
    low, high = GATE_RANGE
    try:
        gate = float(text.replace(",", "."))
    except ValueError:
        gate = math.nan
    if not low <= gate <= high:  # NaN is neither
        return None, f"A number from {low} to {high}, say 0.70."
    return gate, ""


def _whole(text: str | None, most: int) -> int | None:
    # isdecimal() takes the digits of all scripts, and so does int().
    return int(text) if text and len(text) < 6 and text.isdecimal() and int(text) <= most else None


def _people(value: Value) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, list) else ()


# --- in words ---------------------------------------------------------------------------------


def summary(
    settings: WorkspaceSettings,
    brands: Sequence[BrandSettings],
    *,
    channel: str | None,
    channel_brand: str | None,
    user_brand: str | None,
    is_admin: bool,
) -> Payload:
    """Return the answer to ``/onbrand settings``: what counts here, and for admins the way in."""
    here = f"{marks.place(channel)}: " if channel else "Here: "
    kept = settings.retention_days
    lines = [
        f"{here}*{escape(channel_brand)}*" if channel_brand else f"{here}no brand of its own",
        f"Your own brand: *{escape(user_brand)}*" if user_brand else "Your own brand: none chosen",
        f"Drafts are kept for {kept} days" if kept else "Drafts are not kept",
    ]
    blocks = [el.section("*onbrand settings*\n" + "\n".join(f"•  {line}" for line in lines))]
    brand = next((b for b in brands if b.brand == channel_brand), None)
    if brand is not None:
        blocks.append(el.section(f"*{escape(brand.brand)}*\n{brand_line(brand)}"))
    if is_admin:
        blocks.append(_doors(channel, brand))
    else:
        blocks.append(
            el.context("Workspace admins can change this; your own brand: `/onbrand use`.")
        )
    return el.message("onbrand settings. " + ". ".join(lines), blocks)


def _doors(channel: str | None, brand: BrandSettings | None) -> Payload:
    buttons = [el.button("Change settings", Action.HOME_SETTINGS, channel or "workspace")]
    if brand is not None:
        text = f"Settings of {brand.brand}"
        buttons.append(el.button(text, Action.HOME_BRAND_SETTINGS, brand.brand))
    return el.actions(*buttons)


def brand_line(settings: BrandSettings, voice_gate: float | None = None) -> str:
    """Return how a brand is handled, in one line of mrkdwn.

    Args:
        settings: the brand's.
        voice_gate: what counts where no gate is set, if it is known.
    """
    review, digest = settings.review_channel, settings.digest_channel
    own = "the voice's own gate" + ("" if voice_gate is None else f", {voice_gate:.2f}")
    gate = own if settings.gate is None else f"gate {settings.gate:.2f}"
    parts = [gate, f"review in {marks.place(review)}" if review else "no review channel"]
    if digest:
        day = DAYS[settings.digest_day % 7]
        parts.append(f"digest in {marks.place(digest)} on {day}s")
    return " · ".join(parts)
