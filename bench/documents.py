"""Whether documents are parsed in linear time, whatever stands in them.

Each pattern, a piece of markup that nothing closes or that is nested without end, fills a document
of 80 kB and one of 160 kB in each format of text. Measured is the processor time of parsing and
splitting into sentences: linear is twice the time for twice the text. Times are the least of
several runs, as other programs only add to them.

Writes ``bench/results/documents.json`` and ``documents.md``. Usage: ``python bench/documents.py
[--size BYTES] [--format NAME] [--slowest N]``.
"""

from __future__ import annotations

import argparse
import time
from typing import NamedTuple

from figures import Row, write

from onbrand.document import formats, sentences
from onbrand.document.document import parse

PATTERNS = {
    "words": "Plain words stand in a sentence. ",
    "quotes": "> ",
    "nested quotes": "> > > word\n",
    "brackets": "[",
    "closing brackets": "]",
    "links": "[a](b) ",
    "unclosed links": "[a](b ",
    "references": "[a][b.c] ",
    "open references": "][",
    "wiki links": "[[a|b ",
    "images": "![",
    "backticks": "`a ",
    "growing backticks": "` `` ``` ```` ",
    "fences": "```\n",
    "fences of directives": "```{note}\n",
    "fences of tildes": "~~~ a\n\n",
    "double braces": "{{ ",
    "shortcodes": "{{< a >}} ",
    "open shortcodes": "{{< a ",
    "code shortcodes": "{{< highlight >}}\n",
    "closed shortcodes": "{{< a >}}x{{< /a >}}",
    "tags": "{% a ",
    "opened blocks": "{% if %}{% for %} ",
    "closed blocks": "{% endif %} ",
    "unknown blocks": "{% x %}\na = 1\n{% endx %}\n",
    "comments of templates": "{# a ",
    "translations": '{% translate "two words" %} ',
    "attributes": "{.a ",
    "attribute values": '{a="',
    "colons": ":::a\n",
    "closing colons": ":::::\n",
    "growing colons": ":::{toctree}\n::::{toctree}\n",
    "component": "::a{b}\n",
    "admonitions": '!!! note "a"\n',
    "nested admonitions": '!!! note\n    !!! tip "b"\n        words\n',
    "tabs": '=== "a"\n\n    b\n\n',
    "slashes": "/// note | a\n",
    "callouts": "> [!NOTE] a\n",
    "definitions": "a\n: b\n\n",
    "definitions alone": ":   b\n",
    "dollars": "$",
    "double dollars": "$$\n",
    "formulas": "\\( a ",
    "environments": "\\begin{a}",
    "roles": "{a}`",
    "icons": ":a-b",
    "marks": "==a ^^b ++c ",
    "citations": "[@a ; @b",
    "percents": "%% a ",
    "scripts": "<script>",
    "styles in elements": "<div>\n<style>\n\n",
    "elements": "<div>",
    "tables of HTML": "<table><tr><td>a",
    "tag ends": '<a b="',
    "comments of HTML": "<!-- ",
    "components": "<A>\n",
    "expressions": "{a ",
    "fences in components": "<A>\n  ```\n",
    "imports": "import {a} from 'b'\n",
    "emphasis": "*a _b ",
    "stars": "**a ",
    "tables": "| a | b |\n",
    "grid tables": "+---+\n",
    "simple tables": "a b\n--- ---\n",
    "footnotes": "[^a]: b [^a]\n",
    "link definitions": "[a]: b\n",
    "lists": "- ",
    "nested lists": "- a\n  - b\n    - c\n",
    "numbers": "1. ",
    "backslashes": "\\",
    "entities": "&amp",
    "addresses": "www.a.b/(",
    "mail": "a@b.",
    "abbreviations": "e.g. ",
    "full stops": ".a ",
    "emoji": "🎉 a",
    "quotation marks": '"a. ',
    "brackets in text": "“a. (b. ",
    "apostrophes": "’a. ",
    "front matter": "---\n",
    "front matter late": "---\n\na: b\n",
    "front matter in JSON": '{"a":',
    "blank lines": "\n",
    "carriage returns": "\r",
    "spaces": " ",
    "tabulators": "a\t",
}
MIN_SPEED = 1.0
"""MB a second, for every pattern."""
MAX_RATIO = 2.6
"""Time for twice the text; noise alone takes short times this far from 2."""
MIN_SECONDS = 0.05
"""Less says nothing about ratios."""


class Measured(NamedTuple):
    """A pattern in a format."""

    format: str
    pattern: str
    seconds: float
    ratio: float


def main() -> None:
    """Measure all patterns, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=80_000, help="bytes of the smaller document")
    parser.add_argument("--format", help="measure this format alone, and write nothing")
    parser.add_argument("--slowest", type=int, default=10, help="how many to print")
    options = parser.parse_args()
    names = [one.name for one in formats.FORMATS.values() if one.decode is None]
    if options.format:
        names = [options.format]
    found = [
        measure(name, pattern, piece, options.size)
        for name in names
        for pattern, piece in PATTERNS.items()
    ]
    for one in sorted(found, key=lambda one: -one.seconds)[: options.slowest]:
        speed = options.size / 1e6 / one.seconds
        print(f"{one.format:10} {one.pattern:24} {speed:7.1f} MB/s, ratio {one.ratio:.2f}")
    for one in sorted(found, key=lambda one: -one.ratio)[: options.slowest]:
        if one.seconds > MIN_SECONDS / 2:
            print(f"{one.format:10} {one.pattern:24} ratio {one.ratio:.2f}, {one.seconds:.3f} s")
    if options.format:
        return
    rows = [Row("patterns times formats", len(found), "")]
    for name in names:
        own = [one for one in found if one.format == name]
        slow = max(own, key=lambda one: one.seconds)
        steep = max(own, key=lambda one: one.ratio)
        rows += [
            Row(
                f"{name}: the slowest, {slow.pattern}",
                options.size / 1e6 / slow.seconds,
                "MB/s",
                MIN_SPEED,
                at_least=True,
            ),
            Row(f"{name}: time for twice the text, {steep.pattern}", steep.ratio, "", MAX_RATIO),
        ]
    write("documents", _INTRO.format(size=options.size // 1000), rows)


_INTRO = """# Documents in linear time

Processor time of parsing documents of {size} kB and twice that, each filled with one pattern
(`bench/documents.py`).

"""


def measure(name: str, pattern: str, piece: str, size: int) -> Measured:
    """Parse documents of two sizes that a pattern fills."""
    once, twice = (_seconds(name, piece, size * factor) for factor in (1, 2))
    ratio = twice / once if twice > MIN_SECONDS else 2.0
    return Measured(name, pattern, once, ratio)


def _seconds(name: str, piece: str, size: int) -> float:
    source = "First words.\n\n" + piece * (size // len(piece.encode())) + "\n\nLast words.\n"
    least = float("inf")
    for _ in range(2):
        sentences._cached.cache_clear()
        start = time.process_time()
        parse(source, name)
        least = min(least, time.process_time() - start)
        if least > 1:
            break
    return least


if __name__ == "__main__":
    main()
