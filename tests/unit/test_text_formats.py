"""What formats share: front matter that readers see, comments that switch off, odd input."""

from __future__ import annotations

import pytest

from onbrand.document import formats
from onbrand.document.document import parse
from onbrand_lsp.features.suppressions import apply, ignore_edits

YAML = """\
---
title: "It's a <b>great</b> day"
description: >
  Folded words
  go on.
hero:
  tagline: Words in a table
draft: Hidden words
---
The text.
"""
TOML = """\
+++
title = "It's a <b>great</b> day"
description = '''Folded words
go on.'''
[hero]
tagline = "Words in a table"
+++
The text.
"""


@pytest.mark.parametrize("source", [YAML, TOML, YAML.replace("\n", "\r\n"), "\ufeff" + YAML])
def test_front_matter_that_readers_see(source: str) -> None:
    document = parse(source, front_keys=("title", "description", "hero.tagline"))
    texts = [one.text for one in document.sentences]
    assert texts[0] == "It's a great day" and texts[-2:] == ["Words in a table", "The text."]
    assert " ".join(texts[1:-2]) == "Folded words go on."
    assert document.sentences[0].span.slice(source) == "It's a <b>great</b> day"
    assert [one.text for one in parse(source).sentences] == ["The text."]
    assert len(parse(source, front_keys=("tagline",)).sentences) == 1


def test_the_comment_for_front_matter_reads_it_again() -> None:
    document = parse(YAML, front_keys=("title",))
    (edit,) = ignore_edits(document, 1)
    assert apply(YAML, edit.insertions).endswith("<!-- onbrand-disable-next-line -->\nThe text.\n")


@pytest.mark.parametrize(
    ("read_as", "source", "index", "expected"),
    [
        ("rst", "One.\n\nTwo.\n", 1, "One.\n\n.. onbrand-disable-next-line\n\nTwo.\n"),
        ("rst", "* One.\r\n", 0, ".. onbrand-disable-next-line\r\n\r\n* One.\r\n"),
        ("asciidoc", "One.\n\nTwo.\n", 1, "One.\n\n// onbrand-disable-next-line\nTwo.\n"),
        ("latex", "One. Two.\n", 0, "One.<off> Two.\n"),
        ("org", "One.\n\nTwo.\n", 1, "One.\n\n# onbrand-disable-next-line\nTwo.\n"),
        (
            "gettext",
            '\nmsgid "Our oats are here."\nmsgstr ""\n',
            0,
            '\n# onbrand-disable-next-line\nmsgid "Our oats are here."\nmsgstr ""\n',
        ),
        (
            "yaml",
            "en:\n  a: Our oats are here.\n",
            0,
            "en:\n  # onbrand-disable-next-line\n  a: Our oats are here.\n",
        ),
        (
            "toml",
            'a = "Our oats are here."\n',
            0,
            '# onbrand-disable-next-line\na = "Our oats are here."\n',
        ),
        (
            "svelte",
            "<p>Our oats are here.</p>\n",
            0,
            "<!-- onbrand-disable-next-line -->\n<p>Our oats are here.</p>\n",
        ),
    ],
)
def test_comments_that_switch_off(read_as: str, source: str, index: int, expected: str) -> None:
    edits = ignore_edits(parse(source, read_as), index)
    if "<off>" in expected:  # a comment ends the line: there is none for one sentence of two
        assert not any(edit.exact for edit in edits)
    else:
        assert apply(source, edits[0].insertions) == expected


@pytest.mark.parametrize("read_as", ["mail", "json", "notebook"])
def test_formats_without_comments(read_as: str) -> None:
    assert formats.get(read_as).comment is None
    document = parse('{"a": "Our oats are here."}', read_as)
    assert all(ignore_edits(document, n) == [] for n in range(len(document.sentences)))


@pytest.mark.parametrize(
    ("read_as", "source", "expected"),
    [
        ("rst", "A\n=\n\nB\n-\n\nC\n-\n\nD\n=\n", [1, 2, 2, 1]),
        ("asciidoc", "= A\n\n== B\n\n=== C\n", [1, 2, 3]),
        ("latex", "\\chapter{A}\n\\section{B}\n\\subsection{C}\n", [1, 2, 3]),
        ("org", "* A\n** B\n* C\n", [1, 2, 1]),
        ("vue", "<template>\n<h1>A</h1><h3 a=b>B</h3>\n</template>", [1, 3]),
    ],
)
def test_levels_of_headings(read_as: str, source: str, expected: list[int]) -> None:
    document = parse(source, read_as)
    find = formats.get(read_as).heading_level
    assert find is not None
    levels = [find(source, document.lines, one.span) for one in document.sentences]
    assert levels == expected


@pytest.mark.parametrize("read_as", ["json", "notebook", "toml"])
@pytest.mark.parametrize("source", ["", "{", "[" * 100_000, '{"a": ' * 50_000, "\0", "a = = 1"])
def test_broken_data_is_told_in_one_line(read_as: str, source: str) -> None:
    document = parse(source, read_as)
    assert document.sentences == ()
    if source or read_as != "toml":  # an empty file is TOML
        (warning,) = document.warnings
        assert "nothing in it is judged" in warning and "\n" not in warning


@pytest.mark.parametrize(
    "read_as", [name for name, one in formats.FORMATS.items() if not one.decode]
)
@pytest.mark.parametrize(
    "piece", ["- ", "> ", "((", "[[", "{", "<a ", "\\a{", ":: ", "|a", '"`', "* a\n "]
)
def test_nesting_without_end_overflows_nothing(read_as: str, piece: str) -> None:
    parse(piece * 5_000, read_as)
