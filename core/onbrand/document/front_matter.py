"""Front matter to blocks: the values that readers see, such as the title and the description."""

from __future__ import annotations

from collections.abc import Collection

from onbrand.document import catalogues, html
from onbrand.document.blocks import Extracted
from onbrand.document.embedded import join
from onbrand.document.json_strings import Container
from onbrand.document.messages import Message

SHOWN_KEYS = ("title", "description")
"""Keys that sites show, in search results at least."""


def extract(matter: str, keys: Collection[str]) -> Extracted:
    """Return the blocks of the values of some keys.

    Args:
        matter: the start of a document, up to the end of its front matter, in YAML or TOML.
        keys: names of keys; ``hero.tagline`` is a key in a table.
    """
    if not keys or not matter:
        return Extracted([], [])
    toml = matter.lstrip("\ufeff").startswith("+++")
    read = catalogues.toml_messages if toml else catalogues.yaml_messages
    messages, containers, _ = read(matter)
    shown = [one.text for one in messages if _path(one, containers) in keys and one.text.text]
    return join(one.read(html.extract, quotes=False) for one in shown)._replace(comments=[])


def _path(message: Message, containers: list[Container]) -> str:
    """Return the keys that lead to a value, with dots between them."""
    names, container = [message.key], message.container
    while container >= 0:
        container, key = containers[container].parent, containers[container].key
        names.append(key)
    return ".".join(name for name in reversed(names) if name)
