"""Which site a document belongs to, and what that changes; settings that say it instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from onbrand.config import settings_for
from onbrand.document import dialects
from onbrand.document.dialects import PLAIN, Dialect, find_dialect
from onbrand.document.document import parse, parse_named
from onbrand.errors import OnbrandError


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a folder that ends the search for sites."""
    (tmp_path / ".git").mkdir()
    return tmp_path


def write(file: Path, text: str = "") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("mkdocs.yml", "site_name: x\n", Dialect("mkdocs")),
        ("mkdocs.yml", "extra:\n  alternate:\n    - lang: fr\ntheme:\n  language: de\n", "de"),
        ("docusaurus.config.js", "module.exports = {}", Dialect("docusaurus", mdx=True)),
        ("docusaurus.config.ts", "markdown: {format: 'detect'}", Dialect("docusaurus")),
        ("docusaurus.config.ts", "i18n: {\n  defaultLocale: 'pt-BR',\n}", "pt-BR"),
        ("hugo.toml", "defaultContentLanguage = 'es'\n", "es"),
        ("config.toml", 'baseURL = "/"\n', Dialect("hugo")),
        ("config.toml", "[server]\nport = 1\n", PLAIN),
        ("config/_default/hugo.toml", "", Dialect("hugo")),
        ("_config.yml", "title: x\nlang: fr\n", Dialect("jekyll", language="fr")),
        ("conf.py", "extensions = ['myst_parser']\nlanguage = 'de'\n", "de"),
        ("conf.py", "raise SystemExit('never run')\n", PLAIN),
        ("_quarto.yml", "lang: es\n", Dialect("quarto", language="es")),
        ("astro.config.mjs", "", Dialect("astro")),
        (".obsidian/app.json", "{}", Dialect("obsidian")),
        (".vitepress/config.ts", "", Dialect("vitepress")),
        ("package.json", "{}", PLAIN),
    ],
)
def test_a_site_is_known_by_its_files(
    site: Path, name: str, text: str, expected: Dialect | str
) -> None:
    write(site / name, text)
    found = find_dialect(site / "docs/a/page.md")
    assert (found.language if isinstance(expected, str) else found) == expected


def test_the_nearest_site_counts_and_the_search_ends_with_the_repository(site: Path) -> None:
    write(site / "mkdocs.yml")
    assert find_dialect(site / "a.md").site == "mkdocs"
    write(site / "web/docusaurus.config.js")
    assert find_dialect(site / "web/docs/a.md").site == "docusaurus"
    (site / "lib/.git").mkdir(parents=True)
    assert find_dialect(site / "lib/a.md") == PLAIN
    write(site / "book/_toc.yml")
    write(site / "book/_config.yml")
    assert find_dialect(site / "book/a.md").site == "sphinx"


def test_a_site_that_appears_or_changes_is_seen(site: Path) -> None:
    page = site / "docs/a.md"
    assert find_dialect(page) == PLAIN
    file = write(site / "docs/_quarto.yml", "lang: de\n")
    assert find_dialect(page).language == "de"
    file.write_text("lang: fr\n# longer\n")
    stamp = file.stat().st_mtime_ns + 1_000_000_000
    import os

    os.utime(file, ns=(stamp, stamp))
    assert find_dialect(page).language == "fr"
    file.unlink()
    assert find_dialect(page) == PLAIN


def test_what_cannot_be_read_counts_as_missing(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (site / "mkdocs.yml").write_bytes(b"\xff\xfe\0" * 9)
    assert find_dialect(site / "a.md") == Dialect("mkdocs")
    monkeypatch.setattr(dialects, "_MAX_CONFIG", 4)
    write(site / "b/conf.py", "# long\nproject = 'x'\n")
    assert find_dialect(site / "b/a.md") == Dialect("mkdocs")
    assert find_dialect(Path("\0/a.md")) == PLAIN


PAGE = """---
title: x
---
<Tabs groupId="never" values={[{label: 'Never'}]}>

Words stand in a tab.

</Tabs>

{/* onbrand-disable-next-line */}
Legal words stand here.
"""


def test_markdown_is_mdx_on_a_site_of_docusaurus(site: Path) -> None:
    write(site / "docusaurus.config.js")
    found = parse_named(PAGE, "a.md", dialect=find_dialect(site / "a.md"))
    assert found.format == "mdx"
    assert [one.text for one in found.sentences] == ["Words stand in a tab."]
    assert found.suppressed == 1
    assert parse_named(PAGE, "a.md").format == "markdown"
    assert parse_named("import A from './a';\n\nWords.", "a.md").format == "mdx"
    assert parse_named("import A from './a';\n", "a.md", dialect=Dialect(mdx=False)).format == (
        "markdown"
    )
    assert parse_named("Import taxes are high.\n", "a.md").format == "markdown"


def test_settings_say_how_to_read(site: Path) -> None:
    write(site / "docusaurus.config.js", "defaultLocale: 'de',\n")
    write(
        site / "onbrand.toml",
        'language = "fr"\ncode_blocks = ["Demo"]\n[[paths]]\nglob = "plain/**"\n'
        'format = "markdown"\nprose_blocks = ["mermaid"]\n',
    )
    assert settings_for(site / "a.md").dialect == Dialect(
        "docusaurus", mdx=True, language="fr", code=frozenset({"demo"})
    )
    plain = settings_for(site / "plain/a.md")
    assert plain.format == "markdown"
    assert plain.dialect == Dialect(
        "docusaurus",
        mdx=False,
        language="fr",
        code=frozenset({"demo"}),
        prose=frozenset({"mermaid"}),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[paths]]\nglob = "*"\nformat = "mdy"\n', '"format": "mdy" is no format of drafts'),
        ('language = "german"\n', '"language" must be the code of a language'),
        ("code_blocks = [3]\n", '"code_blocks" must be a list of shortcodes'),
        ('format = "mdx"\n', 'unknown key "format"'),
    ],
)
def test_wrong_settings_are_told(site: Path, text: str, message: str) -> None:
    write(site / "onbrand.toml", text)
    with pytest.raises(OnbrandError, match=message):
        settings_for(site / "a.md")


@pytest.mark.parametrize(
    ("source", "read_as"),
    [
        ("{{< demo >}}\nSome never words\n{{< /demo >}}\n", "markdown"),
        ("{% demo %}Some never words{% enddemo %}\n", "markdown"),
        (":::demo\nSome never words\n:::\n", "markdown"),
        ("<Demo>\n\nSome never words\n\n</Demo>\n", "mdx"),
        ("<p>{% demo %}Some never words{% enddemo %}</p>\n", "html"),
    ],
)
def test_names_of_code_and_prose(source: str, read_as: str) -> None:
    def words(**names: frozenset[str]) -> list[str]:
        found = parse(source, read_as, dialect=Dialect(**names))
        return [one.text for one in found.sentences]

    assert words() == ["Some never words"]
    assert words(code=frozenset({"demo"})) == []
    code = source.replace("demo", "mermaid").replace("Demo", "Mermaid")
    found = parse(code, read_as)
    assert (found.sentences, set(found.skipped)) == ((), {"code"})
    prose = parse(code, read_as, dialect=Dialect(prose=frozenset({"mermaid"})))
    assert [one.text for one in prose.sentences] == ["Some never words"]


def test_what_is_left_out_is_counted_by_reason() -> None:
    source = (
        "---\na: b\n---\n\n```\ncode\n```\n\n> Quoted words.\n\n```{foo}\nWhat is this?\n```\n\n"
        "Words.\n"
    )
    assert parse(source).skipped == {
        "front matter": 12,
        "code": 12,
        "quotes": 16,
        "unknown blocks": 26,
    }
    assert "quotes" not in parse(source, quotes=True).skipped
    page = "<p>Words.</p><pre>code</pre><blockquote>Quoted.</blockquote>"
    assert parse(page, "html").skipped == {"code": 4, "quotes": 7}


def test_a_document_names_its_language_over_its_site() -> None:
    german = Dialect(language="de")
    text = "Es gilt evtl. Zehn Mal. Gut so."
    whole = ["Es gilt evtl. Zehn Mal.", "Gut so."]
    assert [one.text for one in parse(text, dialect=german).sentences] == whole
    other = parse(f"---\nlang: en\n---\n{text}", dialect=german)
    assert [one.text for one in other.sentences] != whole
    assert [one.text for one in parse(f'<html lang="de">{text}', "html").sentences] == whole
