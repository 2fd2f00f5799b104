"""Vue, Svelte and Astro components to blocks: their markup, as HTML of the same length."""

from __future__ import annotations

import re
from typing import NamedTuple

from onbrand.document import html
from onbrand.document.blocks import Comment, Extracted
from onbrand.document.masking import (
    PLACEHOLDER,
    REMOVED,
    Replacement,
    ScriptBraces,
    apply_replacements,
    mask,
    mask_templates,
)

_NEXT = re.compile(
    r"(?P<comment><!--)|<(?P<raw>script|style)\b|(?P<brace>\{)"
    r"|(?P<tag></?(?P<name>[A-Za-z][\w.:-]*|(?=>)))",
    re.IGNORECASE,
)
# Strings end on their line and comments stop at the next opener, so that time stays linear.
_TAG_TOKEN = re.compile(r"[<>{]|\"[^\"]*+\"|'[^']*+'")
_SCRIPT_COMMENT = re.compile(r"\{\s*/\*(.*)\*/\s*\}", re.DOTALL)
_MARKUP_IN_SCRIPT = re.compile(r"(?:(?<=[({\[&|?:>,;])|(?<=\breturn))\s*(?=<(?:[A-Za-z]|>))")
_SVELTE_LOGIC = re.compile(r"\{\s*(?:[#:/]|@(?!html))")
_VOID = frozenset(
    [
        "area",
        "base",
        "br",
        "col",
        "embed",
        "hr",
        "img",
        "input",
        "link",
        "meta",
        "source",
        "track",
        "wbr",
    ]
)
_MARGIN = 200

_VUE_BLOCK = re.compile(
    r"(?P<comment><!--(?:[^-<]|-(?!->)|<(?!!--))*+-->)|(?<![^\r\n])<(?P<name>[a-zA-Z][\w-]*)(?P<rest>[^>]*)>"
)
_ASTRO_SCRIPT = re.compile(
    r"\s*---[ \t]*(?:\r\n|\n|\r).*?(?<![^\r\n])---[ \t]*(?![^\r\n])", re.DOTALL
)


def extract_vue(text: str, quotes: bool = False) -> Extracted:
    """Return the blocks of the template of a Vue component, and the comments beside it."""
    kept: list[tuple[int, int]] = []
    last_closer: dict[str, int] = {}
    at = 0
    while block := _VUE_BLOCK.search(text, at):
        at = block.end()
        if block["comment"]:
            kept.append(block.span())
            continue
        closer = f"</{block['name']}"
        if closer not in last_closer:
            last_closer[closer] = text.rfind(closer)
        if block["rest"].endswith("/") or last_closer[closer] < at:
            continue
        end = text.rfind("\n" + closer, at) if block["name"] == "template" else -1
        end = end + 1 if end >= 0 else text.find(closer, at)
        if end < 0:
            continue
        if block["name"] == "template" and "pug" not in block["rest"]:
            kept.append((at, end))
        at = end + len(closer)
    masked: list[str] = []
    last = 0
    for start, end in kept:
        masked += mask(text[last:start], " "), text[start:end]
        last = end
    found = _extract("".join(masked) + mask(text[last:], " "), quotes, "vue")
    code = len(text) - sum(end - start for start, end in kept)
    return found._replace(skipped={**found.skipped, "code": found.skipped.get("code", 0) + code})


def extract_svelte(text: str, quotes: bool = False) -> Extracted:
    """Return the blocks and comments of the markup of a Svelte component."""
    return _extract(text, quotes, "svelte")


def extract_astro(text: str, quotes: bool = False) -> Extracted:
    """Return the blocks and comments of the markup of an Astro component, also in expressions."""
    if script := _ASTRO_SCRIPT.match(text):
        text = mask(script[0], " ") + text[script.end() :]
    return _extract(text, quotes, "astro")


def _extract(text: str, quotes: bool, dialect: str) -> Extracted:
    if dialect == "vue":
        text = mask_templates(text)
    masker = _Masker(text, dialect)
    masker.run()
    found = html.extract(apply_replacements(text, masker.replacements), quotes)
    return found._replace(comments=sorted([*masker.comments, *found.comments]))


class _State(NamedTuple):
    """What is open: markup, or the script between two braces."""

    is_script: bool
    end: int
    """Where it ends at the latest."""
    depth: int = 0
    """Elements that are open in markup inside of a script."""


class _Masker:
    def __init__(self, text: str, dialect: str) -> None:
        self.replacements: list[Replacement] = []
        self.comments: list[Comment] = []
        self._text = text
        self._dialect = dialect
        self._open = [_State(False, len(text))]
        self._braces = ScriptBraces(text)
        self._last_comment_end = text.rfind("-->")

    def run(self) -> None:
        """Read the component."""
        at = 0
        while at < len(self._text):
            at = self._script(at) if self._open[-1].is_script else self._markup(at)

    def _replace(self, start: int, end: int, char: str) -> None:
        if start < end:
            self.replacements.append(Replacement(start, end, mask(self._text[start:end], char)))

    # --- scripts ------------------------------------------------------------------------------

    def _script(self, at: int) -> int:
        """Mask a script up to the markup in it, or to its end."""
        end = self._open[-1].end
        markup = _MARKUP_IN_SCRIPT.search(self._text, at, end)
        if markup is None:
            self._replace(at, end, REMOVED)
            self._open.pop()
            return end
        self._replace(at, markup.end(), REMOVED)
        self._open.append(_State(False, end))
        return markup.end()

    def _expression(self, start: int) -> int:
        """Mask an expression, or begin to read one that has markup in it."""
        end = self._braces.end(start)
        if end is None or end > self._open[-1].end:
            return start + 1
        if comment := _SCRIPT_COMMENT.fullmatch(self._text, start, end):
            self.comments.append(Comment(start, end, comment[1]))
            self._replace(start, end, REMOVED)
            return end
        if self._dialect == "astro" and _MARKUP_IN_SCRIPT.search(self._text, start + 1, end):
            self._replace(start, start + 1, REMOVED)
            self._open.append(_State(True, end))
            return start + 1
        logic = self._dialect == "svelte" and _SVELTE_LOGIC.match(self._text, start)
        blank = self._text[start + 1 : end - 1].strip(" \"'`") == ""
        self._replace(start, end, REMOVED if logic else " " if blank else PLACEHOLDER)
        return end

    # --- markup -------------------------------------------------------------------------------

    def _markup(self, at: int) -> int:
        """Read markup up to and with its next construct."""
        state = self._open[-1]
        found = _NEXT.search(self._text, at, state.end)
        if found is None:
            if len(self._open) > 1:
                self._open.pop()
            return state.end
        if found["comment"]:
            end = -1
            if found.start() < self._last_comment_end:
                end = self._text.find("-->", found.end(), state.end)
            return end + 3 if end >= 0 else found.end()
        if found["raw"]:
            closer = re.compile(f"</{found['raw']}", re.IGNORECASE)
            close = closer.search(self._text, found.end(), state.end)
            return close.end() if close else state.end
        if found["brace"]:
            return found.end() if self._dialect == "vue" else self._expression(found.start())
        return self._tag(found.start(), found.end(), found["name"])

    def _tag(self, start: int, at: int, name: str) -> int:
        end = self._tag_end(at)
        if end is None or end > self._open[-1].end:
            return at
        closes = self._text[start + 1] == "/"
        alone = self._text[end - 2] == "/" or name.lower() in _VOID
        self._tidy(start, end, name, closes)
        state = self._open[-1]
        if len(self._open) > 1 and not (alone and not closes):
            depth = state.depth + (-1 if closes else 1)
            self._open[-1] = state._replace(depth=depth)
        if len(self._open) > 1 and self._open[-1].depth <= 0:
            self._open.pop()
        return end

    def _tidy(self, start: int, end: int, name: str, closes: bool) -> None:
        """Replace a tag by one of HTML without attributes, that begins a block where it does."""
        size = end - start
        known = name.islower() and "-" not in name and "." not in name and ":" not in name
        empty = self._text[end - 2] == "/" and not closes
        if not name or (not known and empty and not self._is_alone(start, end)):
            self._replace(start, end, PLACEHOLDER if name else REMOVED)
            return
        if not known:
            name = "p" if self._is_alone(start, end) else "i"
        elif name == "template":
            name = "div"
        head = f"</{name}" if closes else f"<{name}"
        tail = "/>" if empty else ">"
        tag = head + " " * (size - len(head) - len(tail)) + tail
        self.replacements.append(Replacement(start, end, tag))

    def _is_alone(self, start: int, end: int) -> bool:
        before = self._text[max(0, start - _MARGIN) : start].rstrip(" \t")
        after = self._text[end : end + _MARGIN].lstrip(" \t")
        return before[-1:] in ("", "\r", "\n", ">") or after[:1] in ("", "\r", "\n", "<")

    def _tag_end(self, at: int) -> int | None:
        while token := _TAG_TOKEN.search(self._text, at):
            if token[0] == ">":
                return token.end()
            if token[0] == "<":
                return None
            braces = token[0] == "{" and self._dialect != "vue"
            after = self._braces.end(token.start()) if braces else token.end()
            if after is None:
                return None
            at = after
        return None
