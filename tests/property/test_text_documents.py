"""Any string can be parsed, and what is judged is in the source where it is said to be."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_spans import check_spans

from onbrand.document import markdown, mdx, sentences
from onbrand.document.dialects import PLAIN, Dialect
from onbrand.document.document import parse
from onbrand.document.masking import Skipped, mask_templates, to_ascii_like

FORMATS: list[str] = ["markdown", "mdx", "html", "text"]
BREAKS = re.compile(r"[\r\n]")

# Surrogates included, and more of what trips text tools than chance would bring.
NASTY = [
    *"\0\t\n\r\v\f\x1c\x85\xa0\xad\u200b\u200d\u2028\u2029\ufeff\ufffc\uffff\ud800\udfff",
    *(
        "\r\n",
        "é",
        "e\u0301",
        "İ",
        "👩‍👩‍👧‍👦",
        "👍🏽",
        "🇫🇷",
        "1️⃣",
        "مرحبا",
        "日本。",
        "𝒳",
        "\U0010ffff",
    ),
]
anything = st.text(st.characters(codec=None) | st.characters(codec="ascii"), max_size=60)
MARKUP = """
<div> </div> <p> <br> <code> </code> <pre> </pre> <!-- --> <script> </script> <td> <table> <a
</a> <svg/> <![CDATA[ <?php ?> &amp; &nbsp; &NotEqualTilde; &#0; &#x1F600; {{ }} {% %} {%raw%}
{%highlight%} {%endhighlight%} {: } { } {/* */} {"}"} <A> </A> <A/> <A\nb={ ` `` ``` ~~~ * ** _ __
[ ] ]( ) ![ [x](y) [^1] [^1]: [a]: # ## > - 1. | |-|-| $ $$ $5 \\ --- +++ === ::: " ' “ ” ( « »
. ! ? … ... e.g. Mr. max. 🎉 ❤️ https://x.y/z www.x.y a@b.c http:// Yes no I'm It.
onbrand-disable onbrand-enable brand=x import export from 'y' \u2028
"""
_DIALECT_MARKUP = r"""
!!! note|??? tip "a"|=== "b"|///|/// a ¦ b|:::note[x]|:::{toctree}|:::|::a{b}|:a[b]{c}|```{note}
{.a}|{#b}|{: .c }|{:toc}|{::comment}|{:/comment}|{a}`|:b:|:c-d:
(x)=|% a|%%b%%|%%|\(|\)|\[|\]|```{r}
\begin{a}|\end{a}|[a][b.c]|] [|[[a¦b]]|![[c]]|[@d]|@fig-e|+--+|-- --|--8<--|{# #}|{#|#}
{{<a>}}|{{</a>}}
{{<highlight>}}|{{</highlight>}}
{%x%}|{%endx%}|{%plural%}|{%trans "two words"%}|{{/*a*/}}
<FileTree>|</FileTree>
++a+b++|==a==|^^b^^|*[A]:|> [!NOTE]|> [!x]- y|:   z|<style>|</style>|</script>|$$
"""
DIALECT_MARKUP = [one.replace("¦", "|") for one in re.split(r"[|\n]", _DIALECT_MARKUP) if one]
COMMENTS = [
    "<!-- onbrand-disable -->",
    "<!-- onbrand-enable -->",
    "<!-- onbrand-disable-next-line -->",
    "<!-- onbrand brand=x -->",
    "{/* onbrand-disable-line */}",
]
soup = st.lists(
    st.sampled_from(
        [
            *MARKUP.split(" "),
            *DIALECT_MARKUP,
            *NASTY,
            *COMMENTS,
            " ",
            " ",
            "\n",
            "\n\n",
            "    ",
            "word ",
            "Word. ",
        ]
    )
    | anything,
    max_size=40,
).map("".join)


@pytest.mark.parametrize("read_as", FORMATS)
@given(source=anything | soup)
@settings(max_examples=200, deadline=None)
def test_spans_are_true(read_as: str, source: str) -> None:
    check_spans(parse(source, read_as))


DIALECTS = st.builds(
    Dialect,
    site=st.sampled_from([None, "mkdocs", "sphinx", "quarto", "obsidian"]),
    language=st.sampled_from([None, "de", "fr-CA", "es", "xx"]),
    code=st.sampled_from([frozenset(), frozenset({"a", "x"})]),
    prose=st.sampled_from([frozenset(), frozenset({"toctree", "highlight"})]),
)


@pytest.mark.parametrize("read_as", ["markdown", "mdx", "html"])
@given(source=soup, dialect=DIALECTS)
@settings(max_examples=100, deadline=None)
def test_spans_are_true_in_every_dialect(read_as: str, source: str, dialect: Dialect) -> None:
    document = parse(source, read_as, dialect=dialect)
    check_spans(document)
    assert all(count > 0 for count in document.skipped.values())
    assert sum(document.skipped.values()) <= len(source)


@given(source=soup)
@settings(max_examples=100, deadline=None)
def test_quotes_judged_too(source: str) -> None:
    check_spans(parse(source, quotes=True))


@given(source=anything | soup)
def test_masks_keep_length_and_lines(source: str) -> None:
    for masked in (
        mask_templates(source),
        mdx.to_markdown(source)[0],
        markdown.mask_dialect(source, PLAIN, Skipped())[0],
        to_ascii_like(source),
    ):
        assert len(masked) == len(source)
        assert [m.span() for m in BREAKS.finditer(masked)] == [
            m.span() for m in BREAKS.finditer(source)
        ]
    assert to_ascii_like(source).isascii()


@given(text=st.text(max_size=60) | soup.map(lambda text: re.sub("[\ud800-\udfff]", "", text)))
def test_sentences_part_a_block(text: str) -> None:
    spans = sentences.split_sentences(text)
    assert spans == sorted(spans)
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    left = "".join(
        text[a:b]
        for a, b in zip(
            [0, *(end for _, end in spans)], [*(s for s, _ in spans), len(text)], strict=True
        )
    )
    assert not any(map(str.isalpha, left)), "letters fell between two sentences"


WORDS = "Oats are slow. We like them! you and I, forever Café naïve 日本 🎉 Why?"
words = st.lists(st.sampled_from(WORDS.split()), min_size=1, max_size=8).map(" ".join)
HIDDEN = [
    "```js\n{0}\n\n{0}\n```",
    "~~~~\n```\n{0}\n~~~~",
    "Text `{0}` text.",
    "Text ``a ` {0}`` text.",
    "Text <https://{0}.example/{0}> text.",
    "Text https://{0}.example/a?b={0}#{0} text.",
    "Text www.{0}.example/{0}, text.",
    "Text {0}@{0}.example text.",
    'Text [label]({0} "{0}. {0}") text.',
    "Text [label][{0}] text.\n\n[{0}]: /{0} '{0}'",
    "Text ![{0}. {0}](/{0}) text.",
    "Text.[^{0}] Text.\n\n[^{0}]: Note.",
    'Text <span title="{0}" data-{0}=1>label</span> text.',
    "Text <code>{0}</code> and <kbd>{0}</kbd>.",
    "<!-- {0}\n\n{0} -->",
    "<script>\n{0}\n\n{0}\n</script>",
    "<pre>\n{0}\n\n{0}\n</pre>",
    "<svg><text>{0}</text></svg>",
    "<div class='{0}'>\ntext\n</div>",
    "> {0} says. {0}",
    "Text $a + {0}$ text.",
    "$$\n{0}\n$$",
]
IN_DIALECTS = [
    "Text [label](x){{ .{0} #{0} {0}={0} }} text.",
    "Text :{0}-{0}: text.",
    "Text {{{0}}}`{0}` text.",
    "Text [label][{0}.{0}] text.",
    "Text [@{0}, p. 3] text.",
    "Text \\\\({0}\\\\) text.",
    "Text %%{0}%% text.",
    "({0})=",
    "% {0}",
    "!!! {0}\n\n    Text.",
    ":::{{code-block}} {0}\n{0}\n\n{0}\n:::",
    "::: {{.{0}}}\nText.\n:::",
    "```{{code-cell}}\n{0}\n```",
    '--8<-- "{0}"',
    "+---+\n|{0}|\n+---+",
    "*[{0}]: {0}",
    "<div>\n<script>\n{0}\n\n{0}\n</script>\n</div>",
    "\\begin{{align}}\n{0}\n\n{0}\n\\end{{align}}",
]
IN_MARKDOWN = [
    "{{# {0}\n\n{0} #}}",
    "{{{{< highlight {0} >}}}}\n{0}\n\n{0}\n{{{{< /highlight >}}}}",
    "{{% {0} %}}\n{0} = {0}();\n{0}({0});\n{{% end{0} %}}",
    "{{::comment}}\n{0}\n\n{0}\n{{:/comment}}",
    "a\n\n    {0}\n",
    "Text {{{{ {0} }}}} text.",
    "{{% {0} %}}",
    "{{{{< {0} >}}}}",
]
IN_MDX = [
    "import x from '{0}'",
    'Text {{{0}("}}")}} text.',
    "<A b={{{0}}} c='{0}' />",
    "{{/* {0} */}}",
]
SENTINEL = "zqsentinel"


@pytest.mark.parametrize("read_as", ["markdown", "mdx"])
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_what_is_no_prose_is_never_judged(read_as: str, data: st.DataObject) -> None:
    constructs = HIDDEN + (IN_MDX if read_as == "mdx" else IN_MARKDOWN + IN_DIALECTS)
    hidden = st.sampled_from(constructs).map(lambda one: one.format(SENTINEL))
    blocks = data.draw(st.lists(words | hidden, min_size=1, max_size=8))
    head = data.draw(st.sampled_from(["", f"---\nx: {SENTINEL}\nbrand: y\n---\n\n"]))
    end = data.draw(st.sampled_from(["\n", "\r\n", "\r"]))
    source = (head + "\n\n".join(blocks)).replace("\n", end)
    document = parse(source, read_as)
    check_spans(document)
    assert document.brand == ("y" if head else None)
    assert SENTINEL not in " ".join(sentence.text for sentence in document.sentences)
    prose = [block for block in blocks if SENTINEL not in block]
    judged = {sentence.text for sentence in document.sentences}
    for block in prose:
        expected = [block[a:b] for a, b in sentences.split_sentences(block)]
        assert judged.issuperset(expected)


@given(paragraphs=st.lists(words, min_size=1, max_size=5), end=st.sampled_from(["\r\n", "\r"]))
def test_line_ends_make_no_difference(paragraphs: list[str], end: str) -> None:
    source = "\n\n".join(paragraphs)
    texts = [sentence.text for sentence in parse(source).sentences]
    assert [s.text for s in parse(source.replace("\n", end)).sentences] == texts


@pytest.mark.parametrize("read_as", FORMATS)
@given(paragraphs=st.lists(words, min_size=1, max_size=5))
@settings(deadline=None)
def test_a_disabled_document_is_silent(read_as: str, paragraphs: list[str]) -> None:
    body = "\n\n".join(paragraphs)
    loud = parse(body, read_as)
    quiet = parse("<!-- onbrand-disable -->\n\n" + body, read_as)
    assert (quiet.sentences, quiet.suppressed) == ((), len(loud.sentences))
