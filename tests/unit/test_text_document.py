"""The front door of the text pipeline: formats, places, brands, and hostile input."""

from __future__ import annotations

from collections.abc import Iterator

import pyromark
import pytest

from onbrand.document import formats
from onbrand.document.document import parse, parse_named
from onbrand.document.masking import PLACEHOLDER
from onbrand.document.positions import Span
from onbrand.errors import OnbrandError


def texts(source: str, read_as: str = "markdown", *, quotes: bool = False) -> list[str]:
    return [sentence.text for sentence in parse(source, read_as, quotes=quotes).sentences]


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.md", "markdown"),
        ("dir.html/A.MARKDOWN", "markdown"),
        ("a.mkd", "markdown"),
        ("a.mdx", "mdx"),
        ("a.htm", "html"),
        ("a.HTML", "html"),
        ("a.xhtml", "html"),
        ("a.txt", "text"),
        ("a.docx", "docx"),
        ("a.qmd", "markdown"),
        ("a.Rmd", "markdown"),
        ("a.mdown", "markdown"),
        ("README", None),
        ("a.rst", "rst"),
        ("a.textile", None),
        ("README.md.j2", "markdown"),
        ("mail.txt.erb", "text"),
        ("index.html.erb", "html"),
        ("pages/index.njk", "nunjucks"),
        ("nginx.conf.j2", None),
        ("draft.docx.erb", None),
        ("locales/en.json", "json"),
        ("a/_locales/en/messages.json", "json"),
        ("app/i18n/de/shop/cart.YML", "yaml"),
        ("lang/en.toml", "toml"),
        ("strings.de.yaml", "yaml"),
        ("app_en.arb", "json"),
        ("i18n/package.json", None),
        ("package.json", None),
        ("i18n/a/b/c/d.json", None),
        ("pyproject.toml", None),
        ("", None),
    ],
)
def test_formats_by_name(path: str, expected: str | None) -> None:
    found = formats.of_path(path)
    assert (found and found.name) == expected


def test_a_name_that_says_no_format_is_read_as_plain_text_with_a_warning() -> None:
    document = parse_named("# One", "a.textile")
    assert (document.format, len(document.warnings)) == ("text", 1)
    document = parse_named("# One", "a.textile", read_as="markdown")
    assert (document.format, document.warnings) == ("markdown", ())
    with pytest.raises(
        OnbrandError, match="'textile' is no format of drafts; expected text, markdown"
    ):
        parse("One", "textile")


class TestPlaces:
    source = "x **AT&amp;T** says `no` to\r\n*you*. Then"

    def test_words_map_back_to_the_source(self) -> None:
        sentence = parse(self.source).sentences[0]
        assert sentence.text == f"x AT&T says {PLACEHOLDER} to you."
        spans = {
            word: sentence.source_span(*self.place(sentence.text, word)).slice(self.source)
            for word in ("AT&T", "says", PLACEHOLDER, "you", "to you.")
        }
        assert spans == {
            "AT&T": "AT&amp;T",
            "says": "says",
            PLACEHOLDER: "`no`",
            "you": "you",
            "to you.": "to\r\n*you*.",
        }

    def test_empty_stretches_have_a_place_too(self) -> None:
        sentence = parse(self.source).sentences[0]
        start, end = sentence.span
        assert sentence.source_span(0, 0) == Span(start, start)
        assert sentence.source_span(len(sentence.text), len(sentence.text)) == Span(end, end)

    def test_markup_at_both_ends_is_left_out(self) -> None:
        source = '\n> [!NOTE]\n> **[Bold words.](https://x.example)** <b>"More."</b> '
        assert [sentence.span.slice(source) for sentence in parse(source).sentences] == [
            "Bold words.",
            '"More."',
        ]

    @staticmethod
    def place(text: str, word: str) -> tuple[int, int]:
        return text.index(word), text.index(word) + len(word)


def test_block_quotes_are_judged_when_asked_for() -> None:
    source = "> Quoted words.\n\nOwn words.\n\n<blockquote>Quoted markup.</blockquote>"
    assert texts(source) == ["Own words."]
    assert texts(source, quotes=True) == ["Quoted words.", "Own words.", "Quoted markup."]


@pytest.mark.parametrize("read_as", ["markdown", "mdx", "html", "text"])
@pytest.mark.parametrize(
    "source", ["", " ", "\n\n", "\ufeff", "---\na: b\n---\n", "🎉", "12 %", "\0"]
)
def test_nothing_to_judge(source: str, read_as: str) -> None:
    document = parse(source, read_as)
    assert document.sentences == ()
    assert document.lines.line_count >= 1


@pytest.mark.parametrize(
    ("head", "brand"),
    [
        ("---\nbrand: acme\n---", "acme"),
        ("\ufeff---\r\nbrand:   acme co  # ours\r\n---", "acme co"),
        ("---\ntitle: x\nbrand: \"a: 'b'\"\n...", "a: 'b'"),
        ("---\nbrand: 'x'\n---", "x"),
        ("---\n'brand': x\n---", "x"),
        ("---\nbrand:\n---", None),
        ("---\nbrand: ~\n---", None),
        ("---\n brand: x\n---", None),
        ("---\nbrandy: x\n---", None),
        ("+++\nbrand = 'acme'\n+++", "acme"),
        ("+++\r\nbrand = \"a\"\r\n[x]\r\nbrand = 'b'\r\n+++", "a"),
        ("+++\nbrand = 3\n+++", None),
    ],
)
def test_front_matter_brand(head: str, brand: str | None) -> None:
    document = parse(head + "\n\nText here.")
    assert document.brand == brand
    assert [sentence.text for sentence in document.sentences] == ["Text here."]


def test_front_matter_ends_with_a_fence_or_is_none() -> None:
    assert texts("---\nbrand: x\nText.") == ["brand: x Text."]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Half a \ud800 character. Next.", ["Half a \ufffd character.", "Next."]),
        ("Nul\0 here. Next.", ["Nul here.", "Next."]),
        ("One.\u2028Two\u2028three. Four", ["One.", "Two three.", "Four"]),
        ("No\u2028stops\u2028Here", ["No stops", "Here"]),
        ("A\vB\fC\x85D", ["A", "B", "C", "D"]),
        ("# Head\r\rText of\rtwo lines.\r\r- Item\r", ["Head", "Text of two lines.", "Item"]),
        ("مرحبا بالعالم. كيف حالك؟", ["مرحبا بالعالم.", "كيف حالك؟"]),
        ("We are 👩‍👩‍👧‍👦 many. 👍🏽 Yes.", ["We are 👩‍👩‍👧‍👦 many. 👍🏽", "Yes."]),
    ],
)
def test_strange_characters(source: str, expected: list[str]) -> None:
    document = parse(source)
    assert [sentence.text for sentence in document.sentences] == expected
    for sentence in document.sentences:
        assert sentence.span.slice(source)[0] == sentence.text[0]


class Panic(BaseException):
    """Like the panics of a native library, which are no `Exception`."""


def test_a_broken_parser_is_told_and_text_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    def events(*_: object, **__: object) -> Iterator[object]:
        raise Panic
        yield

    monkeypatch.setattr(pyromark, "events_with_range", events)
    document = parse("# Head\n\nText here.\n\n<!-- onbrand-disable-next-line -->\nQuiet.")
    assert [sentence.text for sentence in document.sentences] == ["# Head", "Text here."]
    assert document.warnings == (
        "the Markdown parser failed on this document; it was read as plain text",
    )


@pytest.mark.parametrize("read_as", ["markdown", "mdx", "html", "text"])
@pytest.mark.parametrize(
    "piece",
    [
        *(">", "[", "![", "(", "“a. B ", "<div>", "</div>", "<a ", '<a b="', "<!--", "<code>", "&"),
        *("`a ", "{", "{{", "{% ", "{% highlight %}", "{'", "<A>\n", "*a ", "_", "$a ", "\\", "a@"),
        *("a.b.", '"a. ', "😀 A", "<br>", "\u2028", "- ", "www.", "-->", "| a "),
        "<!-- onbrand-disable-line -->",
    ],
)
def test_deep_and_unclosed_markup_ends(piece: str, read_as: str) -> None:
    """Anything slower than linear, or recursive, would not come back from these."""
    source = "First. \n\n" + piece * 10_000 + "\n\nLast one."
    found = texts(source, read_as)
    assert found[0].startswith("First.")
    assert all("First" not in text for text in found[1:])


@pytest.mark.parametrize("read_as", ["markdown", "mdx", "html", "text"])
def test_one_long_line(read_as: str) -> None:
    sentence = "This is one of very many sentences, é and all. "
    assert texts(sentence * 6_000, read_as) == [sentence.strip()] * 6_000


def test_a_sentence_without_end_is_one() -> None:
    assert texts("word " * 50_000) == [" ".join(["word"] * 50_000)]


def test_documents_compare_and_hash() -> None:
    one, other = parse("Some words. More **words**."), parse("Some words. More **words**.")
    assert one == other
    assert len({*one.sentences, *other.sentences}) == 2
