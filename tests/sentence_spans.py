"""What has to hold of the sentences of every document, whatever its format."""

from __future__ import annotations

import re
from itertools import pairwise

from onbrand.document.document import Document
from onbrand.document.masking import PLACEHOLDER


def check_spans(document: Document) -> None:
    """Check that what is judged is in the source where it is said to be.

    A character that was copied is the same there; in mails, base64 may be behind each.
    """
    source = document.source
    end = 0
    for sentence in document.sentences:
        span, text = sentence.span, sentence.text
        starts, ends = zip(*(sentence.source_span(i, i + 1) for i in range(len(text))), strict=True)
        assert end <= span.start < span.end <= len(source)
        end = span.end
        assert (starts[0], ends[-1]) == span
        assert all(a <= b for a, b in pairwise(starts))
        assert all(a < b for a, b in zip(starts, ends, strict=True))
        assert text == text.strip()
        assert not re.search(r"\s\s|[^\S ]", text)
        assert any(map(str.isalpha, text))
        for char, start, stop in zip(text, starts, ends, strict=True):
            if stop == start + 1 and char != PLACEHOLDER and document.format != "mail":
                same = char == source[start] or (char, source[start]) == ("‘", "`")
                assert same or (char in " \ufffd" and not source[start].isalpha())
        assert sentence.source_span(0, len(text)) == span
