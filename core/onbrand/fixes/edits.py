"""Edits that leave good English: what the lexicon knows, where the grammar around it allows it.

Nothing here scores. An edit is made good by itself: the article before it, the capital at the
sentence's start, spaces and commas; where that is not certain there is no edit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from onbrand.document.positions import Span
from onbrand.fixes import grammar
from onbrand.fixes.grammar import Token, at
from onbrand.fixes.lexicon import Lexicon, Match, load_lexicon
from onbrand.voice.profile import STYLE_MARKERS

MIN_CLAUSE = 4
"""Minimum number of tokens that must follow a deleted opening."""
_ADJECTIVE = re.compile(r"\w{2,}(?:able|ible|ful|less|ive|ous|ic|al|ent|ant|ed|ing)\Z")

MAX_HEADING = 9
"""Maximum number of tokens of a heading that begins with a verb in -ing."""
_VERBS = grammar._set(
    "add apply ask book build buy care change check choose clean collect compare contact cook "
    "create cut describe download edit find get give handle hire install join keep learn let "
    "look make manage measure move open order pack pay plan prepare protect publish put read "
    "record reduce register remove repair replace reply report return run save see select "
    "send set share sign solve start stay stop store submit take talk test try understand "
    "update upload use verify visit wait wash work write"
)
_HEADING_VERBS = {grammar.inflect(verb, "ing"): verb for verb in _VERBS}
_EMOJIS = re.compile(rf" ?(?:{STYLE_MARKERS['emoji'].pattern.pattern}[\ufe0f\u200d]*)+")
_DASH = re.compile(r" ?[–—] ?| - ")
_AFTER_COMMA = (grammar.CONJUNCTIONS - {"nor", "if"}) | {
    *("from", "with", "without", "including", "especially", "such", "perfect", "ideal"),
    *("plus", "which", "like"),
}


class Edit(NamedTuple):
    """Text to put in the place of a span of a sentence."""

    span: Span
    """Offsets into the sentence; may be empty."""
    text: str


class Brand(NamedTuple):
    """What decides between wordings: what the brand is known to write."""

    knows: Callable[[str], bool]
    """Whether the brand writes a word."""
    contracts: bool | None
    """Whether it writes "it's" rather than "it is"; None: either."""
    exclaims: bool
    emojis: bool = True
    dashes: bool = True


def apply_edits(text: str, edits: Sequence[Edit]) -> str:
    """Return a text with edits made; they are sorted and disjoint."""
    parts: list[str] = []
    done = 0
    for span, new in edits:
        parts += text[done : span.start], new
        done = span.end
    return "".join(parts) + text[done:]


Change = tuple[Edit, ...]
"""One change of wording: the same words are replaced or left out wherever they stand."""


def propose(text: str, brand: Brand) -> list[Change]:
    """Return the changes that a sentence may have, in reading order, each good by itself.

    Args:
        text: a sentence, white space collapsed.
        brand: what the brand is known to write.
    """
    tokens = grammar.tokens_of(text)
    lexicon = load_lexicon()
    changes: dict[str, list[Edit]] = {}
    for name, edit in _replacements(text, tokens, lexicon, brand):
        if edit is not None and _is_new(edit, changes.setdefault(name, [])):
            changes[name].append(edit)
    if not brand.emojis:
        changes["emojis"] = [*_emojis(text, tokens)]
    alone = [*_deletions(text, tokens, lexicon), *_exclamation(text, tokens, brand)]
    alone += _heading(text, tokens)
    if not brand.dashes:
        alone += _dash(text, tokens)
    found = {tuple(sorted(edits)) for edits in changes.values() if edits}
    found |= {(edit,) for edit in alone if edit is not None}
    return sorted(change for change in found if is_good(text, apply_edits(text, change)))


def _is_new(edit: Edit, edits: Sequence[Edit]) -> bool:
    """Return whether an edit touches none of some others."""
    start, end = edit.span
    return not any(start < one.span.end and one.span.start < end for one in edits)


def is_good(before: str, after: str) -> bool:
    """Return whether an edited sentence is as whole as it was, with all that must survive.

    Names, figures, quotations, links and code are the same; there is no stray comma or doubled
    word, article that does not fit, or lost capital that was not there before.
    """
    if not grammar.survives(before, after) or not after.strip():
        return False
    flaws = _flaws(after) - _flaws(before)
    starts = [next(filter(str.isalpha, text), "").isupper() for text in (before, after)]
    return not flaws and starts[0] <= starts[1] and _last(before) <= _last(after)


_FLAWS = re.compile(
    r"(?i) {2}| [,.;:!?](?!\w)|[,;:]\s*[,;:.!?]|\A\W*[,;:.]|\b(\w+) \1\b|\ban? (?:an?|the)\b"
    r"|\((?=\s)|\s\)|\ba (?:an|many|several|some|enough)\b"
)


def _flaws(text: str) -> set[str]:
    found = {match[0].lower() for match in _FLAWS.finditer(text)}
    tokens = grammar.tokens_of(text)
    for one, two in pairwise(tokens):
        fits = grammar.article_for(two.text) in (None, one.low) if two.is_word else True
        if one.low in grammar.ARTICLES and not fits:
            found.add(f"{one.low} {two.low}")
    return found


def _last(text: str) -> bool:
    """Return whether a sentence ends with an end mark."""
    return text.rstrip("”\"')’ ").endswith((".", "!", "?", "…", ":"))


def _replacements(
    text: str, tokens: Sequence[Token], lexicon: Lexicon, brand: Brand
) -> Iterator[tuple[str, Edit | None]]:
    """Yield edits, each with the name of the change that it is a part of."""
    for match in lexicon.matches(tokens):
        entry = match.entry
        targets = [t.rstrip("?") for t in entry.targets if not t.endswith("?") or _knows(brand, t)]
        match entry.kind:
            case "verb":
                for target in targets:
                    yield f"{entry.source[0][:4]} {target}", _verb(text, tokens, match, target)
            case "noun" if _is_noun(tokens, match):
                for target in targets:
                    made = grammar.pluralise(target) if entry.form == "plural" else target
                    edit = _replace(text, tokens, match.start, match.end, made)
                    yield f"{entry.source[0][:4]} {target}", edit
            case "phrase" if _phrase_fits(tokens, match):
                for target in targets:
                    if not _is_quantifier_misplaced(tokens, match, target):
                        new = _fill(text, match, target)
                        edit = _replace(text, tokens, match.start, match.end, new)
                        yield f"{' '.join(entry.source)} {target}", edit
            case "contraction" if _contraction_fits(tokens, match, brand):
                yield "contractions", _replace(text, tokens, match.start, match.end, targets[0])
            case _:
                pass


def _knows(brand: Brand, target: str) -> bool:
    words = [w for w in target.rstrip("?").split() if w not in grammar.FUNCTION_WORDS]
    return all(map(brand.knows, words or target.rstrip("?").split()))


def _fill(text: str, match: Match, target: str) -> str:
    if not match.group:
        return target
    start, end = map(int, match.group.split(":"))
    return target.replace("{who}", "{}").replace("{}", text[start:end])


def _verb(text: str, tokens: Sequence[Token], match: Match, target: str) -> Edit | None:
    entry, start, end = match.entry, match.start, match.end
    form: str | None = entry.form
    if form == "past":
        form = grammar.form_of_ed(tokens, start, end)
        if form is None:
            if grammar.inflect(target, "past") != grammar.inflect(target, "participle"):
                return None
            form = "participle"
    if entry.is_noun_too and not grammar.is_verb_place(tokens, start, form or ""):
        return None
    bare = target.replace("{who}", "").replace("{}", "")
    if not form or not grammar.verb_fits(tokens, start, end, form, " ".join(bare.split())):
        return None
    if target.startswith("let {") and end > len(tokens) - 2:
        return None
    return _replace(text, tokens, start, end, _fill(text, match, grammar.inflect(target, form)))


def _is_noun(tokens: Sequence[Token], match: Match) -> bool:
    before = at(tokens, match.start - 1)
    if before in grammar.MODALS | {"to", "we", "you", "they", "i"}:
        return False
    return not grammar.is_content(tokens, match.end)


def _phrase_fits(tokens: Sequence[Token], match: Match) -> bool:
    source, first = match.entry.source, match.start == _first(tokens)
    before, after = at(tokens, match.start - 1), at(tokens, match.end)
    if source[-1] == "," and source[0] != ",":  # "Moreover, …": a clause follows
        begins = first or before in (";", "-", "–", "—", "and", ",", ".", ":")
        return begins and match.end + 2 < len(tokens)
    if source[0] == "shall":
        return not first and before not in ("and", "or") and after not in grammar.SUBJECTS
    if source[-1] in ("of", "to", "for", "with", "that") or source == ("upon",):
        return bool(after) and tokens[match.end].is_word and (source != ("upon",) or not first)
    if before in grammar.DEGREES | {"very", "far"} and len(source) == 1:
        return False
    if source[0] in ("is", "are") and before in grammar.CONJUNCTIONS - {"that"}:
        return first is False
    return True


def _is_quantifier_misplaced(tokens: Sequence[Token], match: Match, target: str) -> bool:
    word = target.split()[0]
    if word in ("many", "several", "some", "most", "all") and match.entry.source[0] in ("a", "an"):
        # "a variety of work" is not "many work".
        return not at(tokens, match.end).endswith("s") and not at(tokens, match.end + 1).endswith(
            "s"
        )
    if word not in grammar.QUANTIFIERS:
        return False
    return grammar.takes_adjective(tokens, match.start - 1)


def _contraction_fits(tokens: Sequence[Token], match: Match, brand: Brand) -> bool:
    shorter = "'" in match.entry.targets[0]
    if brand.contracts is not shorter:
        return False
    after = at(tokens, match.end)
    if shorter:  # "Here it is." stays, and so does "as it is."
        goes_on = bool(after) and tokens[match.end].is_word
        return goes_on and at(tokens, match.start - 1) not in ("as", "than", "what", "where", "how")
    short = match.entry.source[0]
    if short.endswith("'s"):  # "it's been", "let's", "Ann's": only what is clearly "is"
        is_word = after in grammar.DETERMINERS | {"not", "always", "also", "now", "very", "never"}
        return short == "let's" or is_word or after.endswith("ing")
    if not tokens[match.start].is_word:
        return False
    first = match.start == _first(tokens)
    return not (first and short in ("don't", "won't", "isn't", "aren't", "can't", "doesn't"))


def _deletions(text: str, tokens: Sequence[Token], lexicon: Lexicon) -> Iterator[Edit | None]:
    first = _first(tokens)
    for match in lexicon.matches(tokens):
        start, end = match.start, match.end
        match match.entry.kind:
            case "opener" if start == first and len(tokens) - end >= MIN_CLAUSE:
                if tokens[end].is_word:
                    yield _delete(text, tokens, start, end)
            case "tail" if start > first + 2 and at(tokens, end) in ("", ".", "!", "?", ";", ","):
                if at(tokens, start - 1) not in grammar.FUNCTION_WORDS | {",", "-", "–", "—"}:
                    yield _delete(text, tokens, start, end)
            case "deleted":
                yield _delete(text, tokens, start, end)
            case _:
                pass
    for index, token in enumerate(tokens):
        if token.low in lexicon.adverbs and not token.protected:
            yield _adverb(text, tokens, index)
        if token.low in lexicon.adjectives and not token.protected:
            yield from _adjective(text, tokens, index, lexicon)


def _adverb(text: str, tokens: Sequence[Token], index: int) -> Edit | None:
    """Leave an adverb out before a word or at the end, with the "and" of "fast and easily"."""
    before, after = at(tokens, index - 1), at(tokens, index + 1)
    if before in grammar.NEGATIONS | grammar.DEGREES or before.endswith("n't"):
        return None
    if before in grammar.LINKING and not grammar.is_content(tokens, index + 1):
        return None
    if tokens[index].low in ("very", "super", "highly", "ultra", "hugely", "deeply"):
        if not grammar.is_content(tokens, index + 1) or before in ("the", "this", "that", "these"):
            return None
        return _delete(text, tokens, index, index + 1)
    if before in ("and", "or") and at(tokens, index - 2).endswith("ly"):
        return _delete(text, tokens, index - 1, index + 1)
    if before in ("and", "or", ",") or after in ("and", "or", "but", "than", "as", "enough"):
        return None
    if index == _first(tokens):
        # "Simply tap here": what follows is the verb, in its plain form.
        plain = grammar.is_content(tokens, index + 1) and not after.endswith(("s", "ed", "ing"))
        return _delete(text, tokens, index, index + 1) if plain else None
    if after in ("", ".", "!", "?", ";"):
        ok = grammar.is_content(tokens, index - 1) and not before.endswith("ly")
        return _delete(text, tokens, index, index + 1) if ok or before in grammar.OBJECTS else None
    if not tokens[index + 1].is_word or not tokens[index - 1].is_word:
        return None
    return _delete(text, tokens, index, index + 1)


def _adjective(
    text: str, tokens: Sequence[Token], index: int, lexicon: Lexicon
) -> Iterator[Edit | None]:
    """Leave out the praise before a noun, with the adverbs before it and what joins it."""
    start = index
    while start > 0 and at(tokens, start - 1) in lexicon.adverbs:
        start -= 1
    before = at(tokens, start - 1)
    if before in grammar.NEGATIONS | grammar.DEGREES or before.endswith("n't"):
        return
    determined = start > 0 and grammar.takes_adjective(tokens, start - 1)
    end = index + 1
    if at(tokens, end) in (",", "and") and at(tokens, end + 1) in lexicon.adjectives:
        if not determined:
            return
        yield from _praise(text, tokens, start, end, lexicon)
    yield from _one_adjective(text, tokens, start, end, before, determined=determined)


def _praise(
    text: str, tokens: Sequence[Token], start: int, end: int, lexicon: Lexicon
) -> Iterator[Edit | None]:
    """Leave out joined praise as a whole: "a bold and exciting step"."""
    while at(tokens, end) in (",", "and") and at(tokens, end + 1) in lexicon.adjectives:
        end += 2
        if _goes(tokens, start, end):
            yield _delete(text, tokens, start, end)


def _one_adjective(
    text: str, tokens: Sequence[Token], start: int, end: int, before: str, *, determined: bool
) -> Iterator[Edit | None]:
    """Leave out one adjective, with the comma or the "and" that joins it to another."""
    if determined and at(tokens, end) in (",", "and", "yet"):
        if grammar.is_content(tokens, end + 1) and _ADJECTIVE.match(at(tokens, end + 1)):
            yield _delete(text, tokens, start, end + 1)
        return
    if before == "and" and grammar.takes_adjective(tokens, start - 3):
        if _ADJECTIVE.match(at(tokens, start - 2)) and grammar.is_content(tokens, end):
            yield _delete(text, tokens, start - 1, end)
        return
    if before == "," and not (start > 2 and grammar.takes_adjective(tokens, start - 3)):
        return
    if before == ",":
        start -= 1
    if _goes(tokens, start, end):
        yield _delete(text, tokens, start, end)


def _goes(tokens: Sequence[Token], start: int, end: int) -> bool:
    """Return whether a noun follows that says something without the adjectives before it."""
    if not _is_noun_like(tokens, end):
        return False
    before = at(tokens, start - 1)
    if before in grammar.LINKING and not at(tokens, end).endswith("s"):
        return False
    if before in ("make", "makes", "keep", "keeps", "made", "making", "keeping", "it", "them"):
        return False
    last = end
    while last + 1 < len(tokens) and _is_noun_like(tokens, last + 1):
        last += 1
    if at(tokens, last) in grammar.EMPTY_NOUNS:
        return False
    if before in grammar.ARTICLES:
        ends = last + 1 >= len(tokens) or not tokens[last + 1].is_word
        predicate = any(token.low in grammar.LINKING for token in tokens[:start][-4:])
        return not (ends and predicate)
    return True


def _is_noun_like(tokens: Sequence[Token], index: int) -> bool:
    if index >= len(tokens) or not tokens[index].is_word:
        return False
    return tokens[index].protected or grammar.is_content(tokens, index)


def _exclamation(text: str, tokens: Sequence[Token], brand: Brand) -> Iterator[Edit]:
    if brand.exclaims or not tokens or tokens[-1].low != "!" or tokens[-1].protected:
        return
    first = len(tokens) - 1
    while first and at(tokens, first - 1) == "!":
        first -= 1
    question = at(tokens, first - 1) == "?"
    if first and (
        tokens[first - 1].is_word or question or at(tokens, first - 1) in (")", "”", '"')
    ):
        yield Edit(Span(tokens[first].span.start, len(text)), "" if question else ".")


def _emojis(text: str, tokens: Sequence[Token]) -> Iterator[Edit]:
    """Leave emojis out, with the space before them, or after those that begin the sentence."""
    for found in _EMOJIS.finditer(text):
        start, end = found.span()
        hit = [t for t in tokens if t.span.start < end and start < t.span.end]
        if not any(token.protected for token in hit):
            yield Edit(Span(start, end if start else end + text[end:].startswith(" ")), "")


def _heading(text: str, tokens: Sequence[Token]) -> Iterator[Edit | None]:
    """Turn "Making a backup", a line without an end mark, into "Make a backup"."""
    first = _first(tokens)
    verb = _HEADING_VERBS.get(at(tokens, first))
    if not verb or _last(text) or tokens[first].protected or len(tokens) - first > MAX_HEADING:
        return
    said = {token.low for token in tokens[first:]}
    finite = said & (grammar.BE | grammar.HAVE | grammar.MODALS | {",", ":"})
    if not finite and at(tokens, first + 1) not in ("", "of", "and", "or"):
        yield _replace(text, tokens, first, first + 1, verb)


def _dash(text: str, tokens: Sequence[Token]) -> Iterator[Edit]:
    """Put a comma for the only dash, where what follows it cannot be a sentence by itself."""
    dashes = [*_DASH.finditer(text)]
    if len(dashes) != 1:
        return
    start, end = dashes[0].span()
    before = [t for t in tokens if t.span.end <= start]
    hit = [t for t in tokens if t.span.start < end and start < t.span.end]
    after = next((t for t in tokens if t.span.start >= end), None)
    fits = after and after.low in _AFTER_COMMA and len(hit) == 1 and not hit[0].protected
    if fits and len(before) > 1 and before[-1].is_word:
        yield Edit(Span(start, end), ", ")


def _first(tokens: Sequence[Token]) -> int:
    """Return the index of the first word."""
    return next((index for index, token in enumerate(tokens) if token.is_word), 0)


def _delete(text: str, tokens: Sequence[Token], start: int, end: int) -> Edit | None:
    """Leave tokens out, and mend what that leaves: a space, the article, the capital."""
    if end > len(tokens) or any(token.protected for token in tokens[start:end]):
        return None
    span = Span(tokens[start].span.start, tokens[end - 1].span.end)
    if start <= _first(tokens):
        if end >= len(tokens):
            return None
        at_ = tokens[end].span.start
        lower = text[at_].islower() and not tokens[end].protected
        return Edit(Span(span.start, at_ + lower), text[at_].upper() if lower else "")
    if at(tokens, start - 1) in grammar.ARTICLES and end < len(tokens) and tokens[end].is_word:
        article = _article(tokens[start - 1], tokens[end].text)
        if article is None:
            return None
        return Edit(Span(tokens[start - 1].span.start, tokens[end].span.start), article + " ")
    if tokens[start].is_word and tokens[start - 1].span.end < span.start:
        span = Span(tokens[start - 1].span.end, span.end)
    return Edit(span, "")


def _replace(text: str, tokens: Sequence[Token], start: int, end: int, new: str) -> Edit | None:
    """Put other words in the place of tokens, with the article and the capital that they need."""
    span = Span(tokens[start].span.start, tokens[end - 1].span.end)
    if tokens[start].text[0].isupper() and tokens[start].text != "I":
        if start != _first(tokens):
            return None
        new = new[0].upper() + new[1:]
    if at(tokens, start - 1) in grammar.ARTICLES:
        article = _article(tokens[start - 1], new.split()[0])
        if article is None:
            return None
        if article != tokens[start - 1].text:
            gap = text[tokens[start - 1].span.end : span.start]
            return Edit(Span(tokens[start - 1].span.start, span.end), article + gap + new)
    return Edit(span, new) if span.slice(text) != new else None


def _article(old: Token, word: str) -> str | None:
    if old.protected:
        return None
    article = grammar.article_for(word)
    return article and (article.capitalize() if old.text[0].isupper() else article)
