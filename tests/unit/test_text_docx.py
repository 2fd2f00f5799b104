"""The text of Word documents, and documents that mean harm."""

from __future__ import annotations

import zipfile

import pytest
from docx import Document
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from slack_documents import OLE, STRICT, main_part, package, saved, with_body, written

from onbrand.document import docx
from onbrand.document.document import parse
from onbrand.document.docx import MAX_ENTRIES, MAX_UNPACKED, decode
from onbrand.errors import OnbrandError

DOCUMENT = "word/document.xml"
P = "<w:p><w:r><w:t>Our pumps run.</w:t></w:r></w:p>"


def problem(data: bytes) -> str:
    with pytest.raises(OnbrandError) as caught:
        decode(data)
    assert "\n" not in caught.value.message
    return caught.value.message


def test_headings_lists_and_paragraphs() -> None:
    document = Document()
    document.add_heading("Our pumps", 1)
    document.add_paragraph("They run & run.\nAll day.")
    document.add_paragraph("Quiet", style="List Bullet")
    document.add_paragraph("Strong", style="List Number")
    document.add_paragraph("")
    document.add_paragraph("Someone else said it.", style="Quote")
    document.add_paragraph("Said with feeling.", style="Intense Quote")
    document.sections[0].header.paragraphs[0].text = "A header"
    assert decode(saved(document)) == (
        "Our pumps\nThey run & run.\u2028All day.\n- Quiet\n- Strong\n\n\n"
    )


def test_every_line_is_a_paragraph_of_its_own() -> None:
    source = decode(
        written("One long line, and then", "a short one", "", "- An item\nof two lines")
    )
    document = parse(source, "docx")
    found = [(document.lines.line_of(s.span.start), s.kind, s.text) for s in document.sentences]
    assert found == [
        (0, "paragraph", "One long line, and then"),
        (1, "paragraph", "a short one"),
        (3, "list item", "An item of two lines"),
    ]


def test_runs_links_and_breaks_within_a_paragraph() -> None:
    document = Document()
    paragraph = document.add_paragraph("Read ")
    paragraph.add_run("our ").bold = True
    link = OxmlElement("w:hyperlink")
    link.append(paragraph.add_run("guide")._r)
    paragraph._p.append(link)
    paragraph.add_run("\tto non")
    run = paragraph.add_run()
    run._r.append(OxmlElement("w:noBreakHyphen"))
    paragraph.add_run("stop pumps.")
    assert decode(saved(document)) == "Read our guide to non-stop pumps."


def test_lists_that_only_numbering_makes_and_ids_in_another_language() -> None:
    document = Document()
    document.styles["Heading 1"].element.set(qn("w:styleId"), "berschrift1")
    style = document.styles.add_style("toc 1", 1)
    style.element.set(qn("w:styleId"), "Verzeichnis1")
    for style_id, numbering, text in [
        ("berschrift1", "1", "A heading"),
        ("Verzeichnis1", None, "A heading … 1"),
        (None, "2", "An item"),
        (None, "0", "No item"),
    ]:
        properties = document.add_paragraph(text)._p.get_or_add_pPr()
        if style_id:
            properties.get_or_add_pStyle().set(qn("w:val"), style_id)
        if numbering:
            properties.get_or_add_numPr().get_or_add_numId().set(qn("w:val"), numbering)
    assert decode(saved(document)) == "A heading\n\n- An item\nNo item"


def test_tracked_changes_count_as_accepted() -> None:
    data = with_body(
        """
        <w:p><w:r><w:t xml:space="preserve">Our </w:t></w:r>
          <w:del w:id="1"><w:r><w:delText>noisy </w:delText></w:r></w:del>
          <w:ins w:id="2"><w:r><w:t xml:space="preserve">quiet </w:t></w:r></w:ins>
          <w:moveFrom w:id="3"><w:r><w:t>moved </w:t></w:r></w:moveFrom>
          <w:r><w:t xml:space="preserve">pumps </w:t></w:r>
          <w:moveTo w:id="4"><w:r><w:t>moved</w:t></w:r></w:moveTo></w:p>
        <w:p><w:pPr><w:rPr><w:del w:id="5"/></w:rPr></w:pPr>
          <w:r><w:t xml:space="preserve">One para</w:t></w:r></w:p>
        <w:p><w:pPr><w:pPrChange w:id="6"><w:pPr><w:numPr><w:numId w:val="1"/></w:numPr></w:pPr>
          </w:pPrChange></w:pPr><w:r><w:t>graph.</w:t></w:r></w:p>
        """
    )
    assert decode(data) == "Our quiet pumps moved\nOne paragraph.\nThe end."


def test_content_controls_are_read_and_what_is_no_prose_is_not() -> None:
    box = "<w:txbxContent><w:p><w:r><w:t>In a box.</w:t></w:r></w:p></w:txbxContent>"
    data = with_body(
        f"""
        <w:sdt><w:sdtContent>{P}</w:sdtContent></w:sdt>
        <w:p><w:r><w:t>Around.</w:t><mc:AlternateContent>
          <mc:Choice Requires="wps"><wps:txbx>{box}</wps:txbx></mc:Choice>
          <mc:Fallback><w:r><w:t>Again.</w:t></w:r></mc:Fallback></mc:AlternateContent></w:r></w:p>
        <w:p><w:r><w:instrText>HYPERLINK</w:instrText></w:r><m:oMath><m:r><m:t>x=1</m:t></m:r>
          </m:oMath><w:r><w:footnoteReference w:id="1"/></w:r></w:p>
        """
    )
    assert decode(data) == "Our pumps run.\nAround.\n\nThe end."


def test_of_tables_the_prose_is_read_and_the_figures_are_not() -> None:
    document = Document()
    cells = [
        "Headline",
        "Our pumps run all day.",
        "Flow",
        "35 l/min",
        "1,204.50",
        "Model AX-100200300",
    ]
    table = document.add_table(rows=3, cols=2)
    for cell, text in zip([c for row in table.rows for c in row.cells], cells, strict=True):
        cell.text = text
    document.add_paragraph("After 10.")
    assert decode(saved(document)) == "\nOur pumps run all day.\n\n\n\n\nAfter 10."


def test_strict_documents_and_main_parts_by_another_name() -> None:
    relations = (
        b'<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        b'<Relationship Id="r1" Type="http://x/relationships/officeDocument" '
        b'Target="/word/document2.xml"/></Relationships>'
    )
    main = main_part(P, STRICT)
    assert decode(package([("_rels/.rels", relations), ("word/document2.xml", main)])) == (
        "Our pumps run."
    )
    assert decode(package([(DOCUMENT, main_part(P))])) == "Our pumps run."


def test_macros_and_whatever_else_is_in_there_are_ignored() -> None:
    bomb = package([("bomb", b"0" * 1_000_000)])
    parts = [
        (DOCUMENT, main_part(P)),
        ("word/vbaProject.bin", OLE + b"macro"),
        ("word/embeddings/a.zip", bomb),
        ("../../etc/passwd", b"x"),
        ("/abs", b"x"),
    ]
    assert decode(package(parts)) == "Our pumps run."


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (OLE + "EncryptedPackage".encode("utf-16-le"), "password"),
        (OLE + b"WordDocument", "old Word"),
        (b"", "damaged"),
        (b"PK\x03\x04 and nothing", "damaged"),
        (written("Our pumps run.")[:-200], "damaged"),
        (package([("a.txt", b"hello")]), "no Word document"),
        (package([(DOCUMENT, b"<w:p>")]), "damaged"),
        (package([(DOCUMENT, b"")]), "damaged"),
        (package([(f"{n}", b"") for n in range(MAX_ENTRIES + 1)]), "unusual"),
        (package([(DOCUMENT, main_part(P))], zipfile.ZIP_LZMA), "unusual"),
        (package([(DOCUMENT, main_part(" " * 20_000_000))]), "unusual"),
        (package([(DOCUMENT, main_part(P)), ("x", bytes(MAX_UNPACKED))]), "more than 32 MB"),
    ],
)
def test_what_cannot_be_read_is_told_in_a_line(data: bytes, says: str) -> None:
    assert says in problem(data)


def test_a_directory_that_lies_about_sizes_unpacks_no_more_than_it_says() -> None:
    data = bytearray(package([(DOCUMENT, main_part(P * 1_000))]))
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = (100).to_bytes(4, "little")
    assert "damaged" in problem(bytes(data))


def test_encrypted_entries() -> None:
    data = bytearray(package([(DOCUMENT, main_part(P))]))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    assert "password" in problem(bytes(data))


def test_entities_are_refused_before_they_expand() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 30))
    prolog = f'<!DOCTYPE d [<!ENTITY l0 "ha">{laughs}]>'
    body = "<w:p><w:r><w:t>&l29;</w:t></w:r></w:p>"
    assert "unusual" in problem(package([(DOCUMENT, main_part(body, prolog=prolog))]))
    external = '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    body = "<w:p><w:r><w:t>&x;</w:t></w:r></w:p>"
    assert "unusual" in problem(package([(DOCUMENT, main_part(body, prolog=external))]))
    relations = ("_rels/.rels", f"{external}<Relationships/>".encode())
    assert "unusual" in problem(package([relations, (DOCUMENT, main_part(P))]))


def test_deep_nesting_is_no_recursion() -> None:
    deep = "<w:sdt>" * 100_000 + P + "</w:sdt>" * 100_000
    assert decode(package([(DOCUMENT, main_part(deep))])) == "Our pumps run."


def test_a_flood_of_elements_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(docx, "MAX_ELEMENTS", 100)
    assert decode(package([(DOCUMENT, main_part(P + "<w:p/>" * 90))])).strip() == "Our pumps run."
    assert "unusual" in problem(package([(DOCUMENT, main_part(P + "<w:p/>" * 100))]))


def test_one_sentence_over_and_over_is_no_bomb() -> None:
    data = written(*["Our pumps run all day and never stop to rest."] * 3_000)
    assert decode(data).count("Our pumps") == 3_000


def test_what_stands_before_the_package_does_not_matter() -> None:
    assert decode(b"junk" + package([(DOCUMENT, main_part(P))])) == "Our pumps run."
