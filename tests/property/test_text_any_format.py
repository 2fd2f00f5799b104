"""Formats besides Markdown, HTML and plain text: any string can be parsed, to true spans."""

# ruff: noqa: E501 - a format's pieces of markup stand on as few lines as they take

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_spans import check_spans

from onbrand.document import formats
from onbrand.document.document import parse

# Pieces of each format, parted by "¦".
MARKUP = {
    "rst": ".. ¦:: ¦::\n\n¦:a: ¦\n====\n¦----¦>>> ¦|a| ¦\n| ¦`a`_¦``¦:ref:`¦`¦ <b>`__¦[1]_¦+--+--+\n¦\n|¦"
    "==  ==\n¦.. note:: ¦.. code::\n¦.. |a| image::¦.. [1] ¦.. _a: b¦\\¦* ¦1. ¦-a  ¦:: a\n  b",
    "asciidoc": "\n= ¦\n== ¦[source]\n¦----\n¦|===\n¦|¦____\n¦....\n¦// ¦////\n¦<<a,b>>¦{a}¦{nbsp}¦[[a]]¦a::\n"
    "¦\n:a: b\n¦NOTE: ¦link:a[¦]¦footnote:[¦* ¦. ¦+\n¦ +\n¦*¦_¦`¦\"`¦`\"¦((¦))¦image::a[b]\n¦.a\n¦a:: ¦<1> ",
    "latex": "\\a ¦\\emph{¦}¦{¦\\begin{a}¦\\end{a}¦\\begin{verbatim}¦\\end{verbatim}¦\\item[¦]¦\\section{¦\\'e"
    '¦\\"{o}¦$¦$$¦\\[¦\\]¦\\(¦\\)¦% ¦&¦~¦--¦---¦``¦\'\'¦\\verb|a|¦~\\cite{a}¦\\iffalse¦\\fi¦\\\\¦\\href{a}{'
    "¦\\footnote{¦\\begin{tabular}{l}¦\\end{tabular}¦\\begin{document}¦\\end{document}¦\\newcommand{\\a}{¦\\c c",
    "org": "\n* ¦\n** TODO ¦#+begin_src\n¦#+end_src\n¦#+begin_quote\n¦#+end_quote\n¦#+title: ¦:a:\n¦:end:\n"
    "¦[fn:1]¦[[a][¦]]¦=¦~¦/¦*¦_¦| a | b |\n¦- ¦- a :: ¦# ¦: a\n¦\\alpha¦$a$¦<2024-01-01>¦\\\\\n¦{{{a}}}",
    "notebook": '{"cells":[¦{"cell_type":"markdown","source":["¦"]}¦]}¦,¦\\n¦\\u00e9¦\\ud83d\\ude00¦\\"¦# ¦`',
    "json": '{"a":¦{"b":¦"¦"¦,¦}¦[¦]¦:¦\\n¦\\u00e9¦\\ud83d¦{a, plural, one {¦} other {¦}}¦#¦%s¦<b>¦</b>¦"@a":',
    "yaml": "\na: ¦\n  b: ¦\n- ¦|\n  ¦>\n  ¦\"¦'¦''¦\\n¦ # ¦\n# ¦&a ¦*a¦[¦]¦\n    ¦: ¦\n---\n¦%s",
    "toml": "\na = ¦\"¦'¦\"\"\"¦'''¦\n[a]\n¦\\n¦\\u00e9¦# ¦[¦]¦,¦\\\n  ¦{a}",
    "gettext": '\nmsgid ¦\nmsgstr ¦\nmsgid_plural ¦\nmsgctxt ¦msgstr[0] ¦"¦"¦\\n¦\\"¦\n#: ¦\n# ¦\n#~ ¦%(a)s¦\n\n',
    "mail": "Subject: ¦Content-Type: multipart/mixed; boundary=a\n¦\n--a\n¦\n--a--\n¦\n\n¦=41¦=\n¦=?utf-8?Q?=41?=¦"
    "Content-Transfer-Encoding: base64\n¦Content-Transfer-Encoding: quoted-printable\n¦\n> ¦\n-- \n¦TWFu¦=C3=A9"
    "¦Content-Type: text/html; charset=utf-16\n¦On Mon, A wrote:\n",
    "vue": "\n<template>\n¦\n</template>\n¦<p :a=\"b > c\">¦</p>¦{{ ¦ }}¦<A-b>¦</A-b>¦<A/>¦<!-- ¦-->¦<script>¦</script>",
    "svelte": "{#if a}¦{/if}¦{a}¦{¦}¦<p on:a={() => b}>¦</p>¦<A>¦</A>¦<A/>¦'¦\"¦`¦<script>¦</script>¦{@html a}",
    "astro": "\n---\n¦{a && <p>¦</p>}¦{¦}¦<p>¦</p>¦{/* ¦ */}¦<A a={b}>¦</A>¦<>¦</>¦(¦<br>¦'¦`¦{a.map(b => (<li>¦</li>))}",
}  # fmt: skip
HTML_LIKE = ["jinja", "nunjucks", "liquid", "erb"]
NASTY = [
    "\0",
    "\t",
    "\r",
    "\n",
    "\r\n",
    "\n\n",
    "    ",
    "\x85",
    "\xad",
    "\u2028",
    "\ufeff",
    "\ufffc",
]
NASTY += [
    "\uffff",
    "\ud800",
    "é",
    "İ",
    "👩‍👩‍👧‍👦",
    "日本。",
    "word ",
    "Word. ",
    " ",
    "onbrand-disable",
    "onbrand brand=x",
]


def soup(name: str) -> st.SearchStrategy[str]:
    pieces = st.sampled_from([*MARKUP[name].split("¦"), *NASTY]) | st.text(max_size=5)
    return st.lists(pieces, max_size=30).map("".join)


def test_every_format_is_here_or_in_the_other_test() -> None:
    others = {"text", "markdown", "mdx", "html", "docx", *HTML_LIKE}
    assert set(formats.FORMATS) == {*MARKUP, *others}


@pytest.mark.parametrize("read_as", MARKUP)
@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_spans_are_true(read_as: str, data: st.DataObject) -> None:
    source = data.draw(soup(read_as) | st.text(max_size=60))
    for quotes in (False, True):
        check_spans(parse(source, read_as, quotes=quotes))
