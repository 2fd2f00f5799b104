"""English, as far as an edit has to know it: tokens, articles, inflection, what must not change."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from onbrand.document.masking import PLACEHOLDER
from onbrand.document.positions import Span

_TOKEN = re.compile(r"\w+(?:['’\-‐‑]\w+)*|[^\w\s]")
_QUOTED = re.compile(r"“[^”]*”|\"[^\"]*\"|‘[^’]*’|(?<!\w)'[^']+'(?!\w)|«[^»]*»|`[^`]*`")
_ADDRESS = re.compile(r"https?://\S+|www\.\S+|\S+@\S+\.\w+|[@#]\w[\w-]*|\w+\.(?:com|org|net|io)\S*")
_FIGURE = re.compile(r"[^\s\d]*\d[^\s]*")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


ARTICLES = _set("a an")
POSSESSIVES = _set("my your his her its our their whose")
DETERMINERS = ARTICLES | POSSESSIVES | _set("the this that these those every each any some no")
SUBJECTS = _set("i you he she it we they who which that this there")
OBJECTS = _set("me you him her it us them everyone everybody anyone people")
BE = _set("am is are was were be been being isn't aren't wasn't weren't it's that's we're you're")
HAVE = _set("have has had having i've we've you've they've haven't hasn't hadn't")
MODALS = _set(
    "can could may might must shall should will would cannot can't couldn't mustn't shan't "
    "shouldn't won't wouldn't do does did don't doesn't didn't i'll we'll you'll they'll let's"
)
LINKING = BE | _set("become becomes became feel feels felt seem seems look looks sound sounds stay")
PREPOSITIONS = _set(
    "about above across after against along among around as at before behind below beside between "
    "beyond by despite down during except for from in inside into like near of off on onto out "
    "over past per through throughout to toward towards under until up upon via with within without"
)
CONJUNCTIONS = _set("and or but nor so yet if because while when where whether than although since")
NEGATIONS = _set("not never no nor neither nothing hardly barely cannot without")
DEGREES = _set("so as too how more most less least such what quite rather fairly pretty enough")
OTHER_FUNCTION_WORDS = _set(
    "then there here now not too also again only just even still ever always never often already "
    "both all either neither another other others same own few many much several such one ones "
    "who whom what why how me him us them himself herself itself ourselves yourself themselves"
)
FUNCTION_WORDS = (
    DETERMINERS
    | SUBJECTS
    | OBJECTS
    | BE
    | HAVE
    | MODALS
    | PREPOSITIONS
    | CONJUNCTIONS
    | DEGREES
    | OTHER_FUNCTION_WORDS
)
QUANTIFIERS = _set("many several some most enough much all more lots any")
EMPTY_NOUNS = _set(
    "way ways manner fashion time times thing things day days one ones note news reason reasons "
    "place level scale part role kind sort number amount experience experiences result results "
    "opportunity difference impact"
)
"""Nouns that say nothing without their adjective: "in a meaningful way"."""
PEOPLE = _set(
    "customers users teams members staff people clients residents readers visitors guests everyone "
    "employees students developers businesses organisations organizations writers players parents "
    "colleagues companies managers patients children families volunteers donors shoppers anyone"
)
_PARTICLES = _set("up out off down away back in")
_IRREGULAR = {
    verb.split()[0]: tuple(verb.split()[1:])
    for verb in [
        "be was been",
        "bear bore borne",
        "become became become",
        "begin began begun",
        "break broke broken",
        "bring brought brought",
        "build built built",
        "buy bought bought",
        "choose chose chosen",
        "come came come",
        "cut cut cut",
        "do did done",
        "feel felt felt",
        "find found found",
        "forbid forbade forbidden",
        "get got got",
        "give gave given",
        "go went gone",
        "grow grew grown",
        "have had had",
        "hear heard heard",
        "hold held held",
        "keep kept kept",
        "know knew known",
        "lead led led",
        "leave left left",
        "let let let",
        "lose lost lost",
        "make made made",
        "mean meant meant",
        "meet met met",
        "pay paid paid",
        "put put put",
        "read read read",
        "rise rose risen",
        "run ran run",
        "say said said",
        "see saw seen",
        "send sent sent",
        "set set set",
        "show showed shown",
        "speed sped sped",
        "take took taken",
        "tell told told",
        "think thought thought",
        "understand understood understood",
        "write wrote written",
        "undergo underwent undergone",
        "undertake undertook undertaken",
        "kick kicked kicked",
        "get got got",
        "deal dealt dealt",
        "add added added",
        "underscore - -",
    ]
    if "-" not in verb
}
_DOUBLED = _set(
    "stop plan chat get cut put run set let begin ship rub snag grab nab opt fit pop "
    "submit remit permit transmit equip forbid"
)
FORMS = ("base", "s", "past", "participle", "ing")


class Token(NamedTuple):
    """A word, with its hyphens and apostrophes, or a punctuation mark."""

    text: str
    span: Span
    low: str
    """In lower case, with a straight apostrophe."""
    protected: bool
    """Whether no edit may touch it: a figure, a name, or a part of a quotation, link or code."""

    @property
    def is_word(self) -> bool:
        """Whether it is no punctuation mark."""
        return self.text[0].isalnum()


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of a sentence, in reading order."""
    kept = [Span(*found.span()) for found in _kept(text)]
    tokens: list[Token] = []
    first = True
    for found in _TOKEN.finditer(text):
        word = found[0]
        inside = any(s.start < found.end() and found.start() < s.end for s in kept)
        protected = inside or (word[0].isalnum() and _is_name(word, first))
        first = first and not word[0].isalnum()
        low = word.lower().replace("’", "'")
        tokens.append(Token(word, Span(*found.span()), low, protected))
    return tokens


def _kept(text: str) -> list[re.Match[str]]:
    """Return what stays as it is, character by character."""
    patterns = (_QUOTED, _ADDRESS, _FIGURE, re.compile(PLACEHOLDER + "+"))
    return [found for pattern in patterns for found in pattern.finditer(text)]


def _is_name(word: str, first: bool) -> bool:
    if word == "I" or word.startswith(("I'", "I’")):
        return False
    return any(map(str.isupper, word[1:] if first else word))


def survives(before: str, after: str) -> bool:
    """Return whether names, figures, quotations, links and code are the same in two texts."""
    if sorted(f[0] for f in _kept(before)) != sorted(f[0] for f in _kept(after)):
        return False
    old, new = _names(before), _names(after)
    first = {word for word in (_first_word(before), _first_word(after)) if word}
    return not (old - new).keys() - first and not (new - old).keys() - first


def _names(text: str) -> Counter[str]:
    """Return the names in a sentence; its first word counts if it is capitalised inside."""
    tokens = tokens_of(text)
    return Counter(t.text for t in tokens if t.protected and any(map(str.isupper, t.text)))


def _first_word(text: str) -> str | None:
    return next((token.text for token in tokens_of(text) if token.is_word), None)


def article_for(word: str) -> str | None:
    """Return "a" or "an", or None for what may be read letter by letter."""
    if not word[0].isalpha() or (len(word) > 1 and word.isupper()):
        return None
    low = word.lower()
    if re.match(r"(?:hour|honest|honou?r|heir)", low):
        return "an"
    if re.match(r"(?:uni(?!n|m[^aeiou])|us[aeu]|eu|ew|one\b|once|ubiq|utop)", low):
        return "a"
    return "an" if low[0] in "aeiou" else "a"


@lru_cache(4096)
def inflect(phrase: str, form: str) -> str:
    """Return a verb, perhaps with more words after it, in one of `FORMS`."""
    verb, _, rest = phrase.partition(" ")
    match form:
        case "s":
            made = {"have": "has", "be": "is", "do": "does", "go": "goes"}.get(verb) or _plural(
                verb
            )
        case "past" | "participle":
            irregular = _IRREGULAR.get(verb)
            made = irregular[form == "participle"] if irregular else _suffixed(verb, "ed")
        case "ing":
            made = _suffixed(verb, "ing")
        case _:
            made = verb
    return f"{made} {rest}".strip()


def pluralise(phrase: str) -> str:
    """Return a noun, perhaps with more words before it, in the plural."""
    before, _, noun = phrase.rpartition(" ")
    return f"{before} { {'person': 'people'}.get(noun) or _plural(noun) }".replace(
        "  ", " "
    ).strip()


def _plural(word: str) -> str:
    if word.endswith("y") and word[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "x", "z", "ch", "sh")) else "s")


def _suffixed(verb: str, suffix: str) -> str:
    if verb in ("be", "see") and suffix == "ing":
        return verb + suffix
    if verb.endswith("e"):
        return verb[:-1] + suffix
    if suffix == "ed" and verb.endswith("y") and verb[-2:-1] not in "aeiou":
        return verb[:-1] + "ied"
    return (verb + verb[-1] if verb in _DOUBLED else verb) + suffix


def at(tokens: Sequence[Token], index: int) -> str:
    """Return a token in lower case; empty beyond either end."""
    return tokens[index].low if 0 <= index < len(tokens) else ""


def is_content(tokens: Sequence[Token], index: int) -> bool:
    """Return whether there is a word that may be a noun or adjective."""
    low = at(tokens, index)
    return bool(low) and low[0].isalpha() and low not in FUNCTION_WORDS and not low.endswith("ly")


def takes_adjective(tokens: Sequence[Token], index: int) -> bool:
    """Return whether a token stands before a noun or its adjectives: "the", "your", "Ann's"."""
    low = at(tokens, index)
    return low in DETERMINERS or low.endswith(("'s", "s'"))


def verb_fits(tokens: Sequence[Token], start: int, end: int, form: str, target: str) -> bool:
    """Return whether a verb's form, in ``tokens[start:end]``, may give way to another verb's.

    Args:
        tokens: of the sentence.
        start: of the verb.
        end: after the words that go with it.
        form: one of `FORMS`.
        target: the other verb, not inflected, with the words that go with it.
    """
    before, after = at(tokens, start - 1), at(tokens, end)
    verb, *rest = target.split()
    if takes_adjective(tokens, start - 1) and before != "that":
        return False
    if rest and rest[-1] not in _PARTICLES and not (after and tokens[end].is_word):
        return False
    if after == "that" and verb not in ("show", "say", "find", "see", "think", "expect", "tell"):
        return False
    if form == "participle":
        if verb in ("have", "get", "want", "be", "let", "try") and _after(tokens, start, BE):
            return False
        return not rest or rest[-1] in _PARTICLES or not _after(tokens, start, BE)
    if form == "past":
        return not rest or after in DETERMINERS | OBJECTS
    return True


def is_verb_place(tokens: Sequence[Token], start: int, form: str) -> bool:
    """Return whether the words before show that a verb follows, in its plain or its -s form."""
    before = at(tokens, start - 1)
    if before.endswith("ly") and start > 1:
        before = at(tokens, start - 2)
    if form == "base":
        known = before in MODALS or before in ("to", "we", "you", "they", "i", "please", "who")
        return known or not before or before == ":"
    return before in ("it", "he", "she", "which", "who", "that") if form == "s" else True


def form_of_ed(tokens: Sequence[Token], start: int, end: int) -> str | None:
    """Return whether a form in -ed is a "past" or a "participle"; None where that is not clear."""
    if _after(tokens, start, BE | HAVE):
        return "participle"
    clear = at(tokens, end) in DETERMINERS | OBJECTS and at(tokens, start - 1) not in PREPOSITIONS
    return "past" if clear else None


def _after(tokens: Sequence[Token], index: int, words: frozenset[str]) -> bool:
    index -= 1
    while index > 0 and (at(tokens, index).endswith("ly") or at(tokens, index) in ("not", "also")):
        index -= 1
    return at(tokens, index) in words
