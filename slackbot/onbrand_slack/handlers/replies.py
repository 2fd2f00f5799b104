"""Where an answer goes: a message made into calls, and into what is tried where Slack refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from onbrand.report.message import capitalised
from onbrand_slack.model import Reply, ToConversation, ToUser, ToView, ToWorkflow
from onbrand_slack.render import answer, details, elements
from onbrand_slack.work.calls import RESPOND, UPLOAD, Call, Payload

Way = Callable[[Payload], Call]


def first_of(calls: Iterable[Call]) -> Call:
    """Return the first call, with the others to be tried in its stead."""
    first, *others = calls
    return replace(first, instead=(*first.instead, *others))


def post(channel: str, message: Payload, thread: str | None = None) -> Call:
    """Return the call that posts a message; a user's id as channel is their direct messages."""
    # Links in a draft are its author's: not for Slack to show pictures of.
    arguments = {"channel": channel, "unfurl_links": False, "unfurl_media": False, **message}
    return Call("chat.postMessage", arguments | ({"thread_ts": thread} if thread else {}))


def update(channel: str, ts: str, message: Payload) -> Call:
    """Return the call that changes a message of ours."""
    return Call("chat.update", {"channel": channel, "ts": ts, **message})


def upload(channel: str, name: str, content: str, comment: str, thread: str | None = None) -> Call:
    """Return the call that uploads a file to a conversation, by its own id."""
    arguments = {
        "channel": channel,
        "thread_ts": thread,
        "filename": name,
        "content": content,
        "initial_comment": comment,
    }
    return Call(UPLOAD, arguments)


def upload_to_user(
    user: str, name: str, content: str, comment: str, told: Sequence[Call] = ()
) -> Call:
    """Return the call that uploads a file to a user's direct messages.

    Args:
        user: whose.
        name: of the file.
        content: of the file.
        comment: the message that it comes with.
        told: what is called once it is there.
    """

    def then(opened: Payload) -> tuple[Call, ...]:
        sent = upload(str(opened["channel"]["id"]), name, content, comment)
        return (replace(sent, then=lambda _: tuple(told)),)

    # Unlike messages, files take no user's id for a channel.
    return Call("conversations.open", {"users": user}, then=then)


def send(reply: Reply, user: str, renderings: Sequence[Payload], *, replaces: bool = False) -> Call:
    """Return the call that answers with a message.

    Args:
        reply: where the answer goes; a modal's or a workflow's user gets it in direct messages.
        user: who asked.
        renderings: the message, and shorter ones in case that Slack finds it too long.
        replaces: whether it takes the place of the message on which a button was pressed, where
            that can be done.
    """
    ways = _ways(reply, user, replaces)
    return first_of(way(message) for way in ways for message in renderings)


def show(reply: ToView, views: Sequence[Payload], messages: Sequence[Payload]) -> Call:
    """Return the call that fills an open modal.

    Args:
        reply: the modal.
        views: what it is to show, and shorter ones.
        messages: what its user gets instead where they have closed it.
    """
    fill = [Call("views.update", {"view_id": reply.view, "view": view}) for view in views]
    return first_of([*fill, *(post(reply.user, message) for message in messages)])


def complete(reply: ToWorkflow, outputs: Payload) -> Call:
    """Return the call that ends a workflow's step well."""
    arguments = {"function_execution_id": reply.execution, "outputs": outputs}
    return Call("functions.completeSuccess", arguments)


def line(mrkdwn: str) -> Payload:
    """Return one line of ours as a message; foreign text in it must be escaped."""
    return elements.message(mrkdwn, [elements.section(mrkdwn)])


def tell_trouble(reply: Reply | None, user: str, problem: str) -> Call:
    """Return the call that tells a user in one line what went wrong."""
    problem = capitalised(problem)
    match reply:
        case ToWorkflow(execution):
            arguments = {"function_execution_id": execution, "error": problem}
            return Call("functions.completeError", arguments)
        case ToView():
            return show(reply, [details.trouble(problem)], [answer.trouble(problem)])
        case None:
            return post(user, answer.trouble(problem))
    return send(reply, user, [answer.trouble(problem)])


def _ways(reply: Reply, user: str, replaces: bool) -> list[Way]:
    match reply:
        case ToConversation(channel, thread):
            return [lambda message: post(channel, message, thread)]
        case ToUser():
            ways: list[Way] = [
                lambda message: _ephemeral(reply, message),
                lambda message: post(reply.user, message),
            ]
            if reply.response_url:
                ways.insert(0, lambda message: _respond(reply, message, replaces))
            return ways
    return [lambda message: post(user, message)]


def _respond(reply: ToUser, message: Payload, replaces: bool) -> Call:
    body: Payload = {"replace_original": replaces, **message}
    if not replaces:
        body["response_type"] = "ephemeral"
        if reply.thread:
            body["thread_ts"] = reply.thread
    return Call(RESPOND, {"url": reply.response_url, "body": body})


def _ephemeral(reply: ToUser, message: Payload) -> Call:
    arguments = {"channel": reply.channel, "user": reply.user, **message}
    if reply.thread:
        arguments["thread_ts"] = reply.thread
    return Call("chat.postEphemeral", arguments)
