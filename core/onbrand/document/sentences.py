"""Splits blocks into sentences: the rules of sentencex, corrected for marketing copy."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from functools import lru_cache

# sentencex takes quadratic time over unbalanced quotation marks, so it gets a window at a time.
_WINDOW = 4096
# What stands in brackets or quotation marks is split like other text where it is longer.
_MAX_PARENTHETICAL = 200

# Characters of a block whose sentences are cached; bounds the memory that the cache takes.
_MAX_CACHED_LENGTH = 4000

_TERMINAL = ".!?…。！？"
_MAYBE_SPLIT = re.compile(f"[{_TERMINAL}]|[^\x00-\x7f]|\n")
_BREAK = re.compile("\n")
_OPENERS = ("“", "«", '"')
_CLOSERS = "\"'”’»)]*_"
_BRACKETS = {"(": ")", "[": "]", "“": "”", "«": "»"}
_BRACKET = re.compile(r"[()\[\]“”«»]")
_QUOTE = re.compile(r"[\"“”«»]")
_STRAIGHT_QUOTE = re.compile(rf'(?<!\w)"(?=\S)([^"]{{1,{_MAX_PARENTHETICAL}}})(?<=\S)"(?!\w)')

_ALWAYS_ABBREVIATED = re.compile(
    r"\b(?:Mrs?|Ms|Mx|Dr|Prof|Gen|Rep|Sen|Gov|Capt|Lt|Col|Sgt|Rev|Hon|incl|excl|approx|vs|e\.g|i\.e|cf)\.$",
    re.IGNORECASE,
)
_BEFORE_FIGURE = re.compile(
    r"\b(?:max|min|est|tel|ext|vol|nos?|figs?|ca|pp?|chs?|sec|art|eq|ver|ed|rev)\.$", re.IGNORECASE
)
_FIGURE = re.compile(r"[+(]?[\d$€£#]")
_BOOKS = """
gen exod? lev num deut josh judg sam kgs chr chron neh esth pss? prov eccl isa jer lam ezek dan hos
obad mic nah hab zeph hag zech mal matt mt mk lk jn rom cor gal eph phil col thess tim tit philem
heb jas pet rev
"""
_PARTS = "tab(?:le)? app thm lem prop def ex cor eqs? alg pl st ste apt bldg rm nr par para pt abs"
_DAYS = "mon tues? wed thu(?:rs?)? fri sat sun"
_MONTHS = "jan feb mar apr jun jul aug sept? oct nov dec"
_UNITS = """
tbsps? tsps? oz lbs? ml cl kg hrs? mins? secs? ft yd mi pt qt gal cm mm km doz pkgs? pkts? approx
avg temp dept misc orig etc al resp viz aka inc ltd corp co incl excl max min est ext vol nos? figs?
sq cu
"""


def _any_of(*lists: str, before: str = r"\b") -> re.Pattern[str]:
    """Compile the pattern of abbreviations at the end of a text."""
    names = "|".join(name for one in lists for name in one.split())
    return re.compile(rf"{before}(?:{names})\.$", re.IGNORECASE)


_BEFORE_NUMBER = _any_of(_BOOKS, _PARTS, _MONTHS, _DAYS)
_BEFORE_LOWER = _any_of(_DAYS, _MONTHS, _UNITS)
_BEFORE_MONTH = _any_of(_DAYS)
_MONTH = re.compile(rf"(?:{'|'.join(_MONTHS.split())})\b", re.IGNORECASE)
# What ends no sentence in other languages, capital letters after it or not; none is a word, too.
_ABBREVIATIONS = {
    "de": _any_of(
        r"bzw ca evtl ggf inkl exkl einschl zzgl abzgl vgl sog mind allg bes usf z\.\s?b d\.\s?h d",
        r"u\.\s?a o\.\s?ä i\.\s?d\.\s?r z v\.\s?a nr abs abb tab bd kap anm aufl hrsg jg dr",
        r"prof hr fr dipl ing st str tel mio mrd tsd std geb gest verh jh jhd lt gem",
        r"zzt insb ff",
    ),
    "fr": _any_of(
        r"mm mmes? mlles? mgr drs? pr ste? cf env p\.\s?ex c\.-à-d av boul chap fig éd",
        r"tél réf dép nb pp janv févr avr juil sept oct nov déc approx hab",
    ),
    "es": _any_of(
        r"sra? srta sres sras dra? d dña uds? vds? lic ing prof av avda págs? pg fig",
        r"núm tel aprox p\.\s?ej ej máx mín gral depto dpto pza ee uu admón cía sto sta fdo",
    ),
}
_FRENCH_MISTER = re.compile(r"(?<![\w.])M\.$")
_ORDINAL = re.compile(r"(?<![\d.,])\d{1,2}\.$")
_GERMAN_DATE = re.compile(
    r"(?:Jan|Feb|Mär|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez|Jahrhundert|Jh|Auflage|Kapitel|Platz|Woche)"
)
_NAME_REST = re.compile(r"[-–][\w]|[A-Z]{2,}\b|[a-z]")
_INITIAL = re.compile(r"(?<![^\W_])[A-Z]\.$")
_NAME_DOT = re.compile(r"(?:\A|[\s(\[“„«\"'‘/])\.{1,2}\Z")
_STEP = re.compile(r"\b\d+\.$")
_NOON = re.compile(r"\b[ap]\.m\.$", re.IGNORECASE)
_ZONE = re.compile(r"(?:[ECMP][SD]?T|GMT|UTC|BST|IST|JST|CES?T|AES?T|SGT)\b")
_LOWER_WORD = re.compile(r"(?:[-–—] ?)?[a-zà-ÿ]+\b(?![A-Z])")
_SAYS = re.compile(
    r"[A-Z][\w'’]+(?: [A-Z][\w'’]+)? "
    r"(?:said|says|asked|asks|wrote|writes|told|replied|replies|added|adds)\b"
)

_HEARTS = "\u2661\u2665\u2763\u2764\U0001f493-\U0001f49f\U0001f5a4\U0001f90d-\U0001f90e\U0001f9e1"
_EMOJI = (
    "[\u2600-\u2660\u2662-\u2664\u2666-\u2712\u2715-\u2762\u2765-\u2793\u2b50\u2b55"
    "\U0001f300-\U0001f445\U0001f44a-\U0001f492\U0001f4a0-\U0001f5a3\U0001f5a5-\U0001f64f"
    "\U0001f680-\U0001f6ff\U0001f90c\U0001f910-\U0001f9e0\U0001f9e2-\U0001faff" + _HEARTS + "]"
)
_EMOJI_RUN = re.compile(rf"(?:{_EMOJI}[\ufe0f\u200d\U0001f3fb-\U0001f3ff]*+ ?)+")
_HEARTS_ONLY = re.compile(rf"[{_HEARTS}\ufe0f\u200d ]+")


def split_sentences(
    text: str, links: Iterable[tuple[int, int]] = (), language: str = "en"
) -> list[tuple[int, int]]:
    """Return the ranges of a block's sentences, without white space at their ends.

    Args:
        text: a block with white space collapsed; a newline is a break the writer asked for.
        links: ranges of ``text`` that are link labels; no sentence ends inside one.
        language: whose abbreviations end no sentence, as in ``de`` or ``pt-br``, in lower case.

    Returns:
        Sorted, disjoint, half-open ranges; those without a letter are left out.
    """
    language = language.partition("-")[0]
    if len(text) > _MAX_CACHED_LENGTH:
        return _split(text, links, language)
    return list(_cached(text, tuple(links), language))


@lru_cache(maxsize=2048)  # the blocks of 60,000 words: of a text checked again few are new
def _cached(
    text: str, links: tuple[tuple[int, int], ...], language: str
) -> tuple[tuple[int, int], ...]:
    return tuple(_split(text, links, language))


def _split(text: str, links: Iterable[tuple[int, int]], language: str) -> list[tuple[int, int]]:
    boundaries = _boundaries(text, links, language) if _MAYBE_SPLIT.search(text) else []
    sentences = []
    for start, end in zip([0, *boundaries], [*boundaries, len(text)], strict=True):
        piece = text[start:end]
        if any(map(str.isalpha, piece)):
            left = start + len(piece) - len(piece.lstrip())
            sentences.append((left, left + len(piece.strip())))
    return sentences


def _boundaries(text: str, links: Iterable[tuple[int, int]], language: str) -> list[int]:
    """Return the starts of the second and later sentences."""
    parentheticals = _brackets(text)
    if '"' in text:
        parentheticals += [quote.span() for quote in _STRAIGHT_QUOTE.finditer(text)]
    kept = _Ranges(
        [*parentheticals, *(link for link in links if link[1] - link[0] <= _MAX_PARENTHETICAL)]
    )
    flat = _without_long_quotes(text, parentheticals)
    boundaries = {_before_quote(text, at) for at in _library_boundaries(flat, language)}
    boundaries |= _after_parentheticals(text, parentheticals, boundaries)
    boundaries = {at for at in boundaries if not _is_false_boundary(text, at, language)}
    if not text.isascii():
        boundaries = _around_emoji(text, boundaries)
    boundaries = {at for at in boundaries if not kept.hold(at)}
    for found in _BREAK.finditer(text):
        if not _LOWER_WORD.match(text, found.end()) and text[found.start() - 1] != ",":
            boundaries.add(found.end())
    return sorted(at for at in boundaries if 0 < at < len(text))


def _library_boundaries(text: str, language: str) -> Iterator[int]:
    import sentencex

    at = 0
    while at < len(text):
        window = text[at : at + _WINDOW]
        starts = [
            _skip_space(text, at + found["start_index"])
            for found in sentencex.get_sentence_boundaries(language, window)
        ]
        last = at + len(window) == len(text)
        inner = [start for start in starts if start > at]
        yield from inner
        # The last sentence of a window may go on in the next one: read it again from its start.
        at = len(text) if last else inner[-1] if inner else at + len(window)


def _without_long_quotes(text: str, parentheticals: Iterable[tuple[int, int]]) -> str:
    """Blank the quotation marks around long passages, which sentencex takes for one sentence."""
    marks = {place for start, end in parentheticals for place in (start, end - 1)}
    flat = text.replace("\n", " ")
    return _QUOTE.sub(lambda mark: mark[0] if mark.start() in marks else " ", flat)


def _before_quote(text: str, at: int) -> int:
    """Move a boundary before the opening quotation mark or the apostrophe that it follows.

    Marks are blank by then; an apostrophe as in "’Tis" was taken for a closing mark.
    """
    opens = text[at - 1 : at] in (*_OPENERS, "’", "'") and not text[max(0, at - 2) : at - 1].strip()
    return at - 1 if opens else at


def _is_false_boundary(text: str, at: int, language: str = "en") -> bool:
    """Tell whether a boundary that sentencex found is not the end of a sentence."""
    before, after = text[max(0, at - 24) : at].rstrip(), text[at : at + 24]
    if not before or before[-1] in ",;:" or _ALWAYS_ABBREVIATED.search(before):
        return True
    if not text[at - 1].isspace() and (_NAME_DOT.search(before) or _NAME_REST.match(after)):
        return True  # .NET, ./file, ASP.NET, J.-C.
    abbreviated = before[-1] == "." and before[-2:-1].isalpha()
    if (
        abbreviated
        and _FIGURE.match(after)
        and (_BEFORE_FIGURE.search(before) or _BEFORE_NUMBER.search(before))
    ):
        return True
    if abbreviated and after[:1].islower() and _BEFORE_LOWER.search(before):
        return True
    if abbreviated and _BEFORE_MONTH.search(before) and _MONTH.match(after):
        return True
    if language != "en" and _is_abbreviated(before, after, language):
        return True
    if _NOON.search(before) and _ZONE.match(after):
        return True
    goes_on = _LOWER_WORD.match(after)
    if before[-1] in "\"'”’»" and (goes_on or _SAYS.match(text, at)):
        return True
    ending = before.rstrip(_CLOSERS)
    return bool(
        goes_on and (ending[-1:] in "!?…" or ending.endswith("...") or _STEP.search(ending))
    )


def _is_abbreviated(before: str, after: str, language: str) -> bool:
    """Tell whether a full stop is that of an abbreviation or an ordinal in another language."""
    if after[:1].islower() and _INITIAL.search(before):
        return True
    if language == "fr" and _FRENCH_MISTER.search(before):
        return True
    if language == "de" and _ORDINAL.search(before) and _GERMAN_DATE.match(after):
        return True
    known = _ABBREVIATIONS.get(language)
    return bool(known and known.search(before))


def _brackets(text: str) -> list[tuple[int, int]]:
    pairs, open_at = [], []
    for found in _BRACKET.finditer(text):
        if found[0] in _BRACKETS:
            open_at.append(found.start())
        elif open_at and _BRACKETS[text[open_at[-1]]] == found[0]:
            start = open_at.pop()
            if found.end() - start <= _MAX_PARENTHETICAL:
                pairs.append((start, found.end()))
    return pairs


def _after_parentheticals(
    text: str, parentheticals: Iterable[tuple[int, int]], boundaries: set[int]
) -> set[int]:
    """Return the boundaries after whole sentences in brackets: "(Mostly.) Ask us."."""
    found = set()
    for start, end in parentheticals:
        following = _skip_space(text, end)
        whole = (start == 0 or start in boundaries) and text[end - 2] in _TERMINAL
        if whole and following > end and text[following : following + 1].isupper():
            found.add(following)
    return found


def _around_emoji(text: str, boundaries: set[int]) -> set[int]:
    """Move boundaries at emoji, which end a sentence, or as bullets begin one."""
    runs = list(_EMOJI_RUN.finditer(text))
    bullets = (
        len(runs) > 1
        and runs[0].start() == _skip_space(text, 0)
        and runs[0][0].strip() == runs[1][0].strip()
    )
    boundaries = set(boundaries)
    for run in runs:
        if bullets:
            boundaries.discard(run.end())
            boundaries.add(run.start())
            continue
        before, following = (
            text[max(0, run.start() - 2) : run.start()].rstrip(),
            _skip_space(text, run.end()),
        )
        if not before:
            continue
        ended = before[-1] in _TERMINAL
        boundaries.discard(run.start())
        goes_on = text[following : following + 1]
        if goes_on.islower() or goes_on in (",", ";"):
            boundaries.discard(following)
            continue
        starts_anew = text[following : following + 1].isupper() and following > run.start() + 1
        spaced = text[following - 1].isspace()
        if spaced and (ended or (starts_anew and not _HEARTS_ONLY.fullmatch(run[0]))):
            boundaries.add(following)
    return boundaries


def _skip_space(text: str, at: int) -> int:
    while at < len(text) and text[at].isspace():
        at += 1
    return at


class _Ranges:
    """A set of ranges, nested or not, that tells whether an offset is inside one of them."""

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        self._starts: list[int] = []
        self._reach: list[int] = []
        for start, end in sorted(ranges):
            self._starts.append(start)
            self._reach.append(max(end, self._reach[-1] if self._reach else 0))

    def hold(self, place: int) -> bool:
        """Tell whether the offset ``place`` is inside a range, its two ends excluded."""
        index = bisect_right(self._starts, place - 1) - 1
        return index >= 0 and place < self._reach[index]
