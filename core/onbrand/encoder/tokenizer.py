"""Checks ``tokenizer.json`` part by part before the tokenizers library loads it.

A ``tokenizer.json`` is a small program: rules that replace text by regular expressions, tables, and
templates. A hostile one can run for years, fill the memory, or abort in Rust. So only parts that
encoders use are accepted, within bounds, and the library gets a new text written from what was
checked: never the file itself, which it might read differently.
"""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from onbrand.errors import OnbrandError, summarize, wrap_errors

if TYPE_CHECKING:
    from tokenizers import Tokenizer

REGEXES = (" {2,}", " +", r"\s+")
"""The allowed regular expressions, those that encoders use; none of them can backtrack."""
_MAX_BYTES = 64 * 1024**2
_MAX_ENTRIES = 1_000_000
"""Limit for a table; XLM-RoBERTa's has 250,000."""
_MAX_PIECE = 256
_MAX_ID = 10_000_000
_MAX_CHARSMAP = 1024**2
_MAX_REPLACEMENT = 64
"""Limit on the bytes that a SentencePiece map may replace a character by; its own map has 33."""

Rule = Callable[[Any], bool]
Rules = dict[str, Rule]
"""The rule for each field of a part; a field whose name ends in ``?`` may be missing."""


def load_tokenizer(data: bytes, max_tokens: int, path: Path) -> Tokenizer:
    """Return the tokenizer that ``data`` describes, set up to cut texts at ``max_tokens``.

    Args:
        data: content of a ``tokenizer.json``.
        max_tokens: special tokens included.
        path: its file, for errors.

    Raises:
        OnbrandError: it is none, or has a part that no encoder needs.
    """
    from tokenizers import Tokenizer

    checked = check_tokenizer(data, path)
    with wrap_errors("is no tokenizer", path):
        tokenizer = Tokenizer.from_str(checked)
        tokenizer.enable_truncation(max_tokens)
        normalizer = tokenizer.normalizer
        for token in tokenizer.get_added_tokens_decoder().values():
            # The library panics on an empty token.
            if normalizer and token.normalized and not normalizer.normalize_str(token.content):
                raise ValueError(f"nothing is left of the token {token.content!r}")
    return tokenizer


def check_tokenizer(data: bytes, path: Path) -> str:
    """Return the parts of a ``tokenizer.json`` that turn text into tokens, checked.

    Raises:
        OnbrandError: it is none, or has a part that no encoder needs.
    """
    if len(data) > _MAX_BYTES:
        raise OnbrandError(f"is larger than {_MAX_BYTES // 1024**2} MB", path=path)
    try:
        content = msgspec.json.decode(data)
        if not isinstance(content, dict) or "model" not in content:
            raise ValueError("it has no model")
        _check_part("model", content["model"], _MODELS)
        _check_part("added_tokens", {"type": "list", "tokens": content.get("added_tokens")}, _ADDED)
        for name, (kinds, inside) in _STAGES.items():
            _check_stage(name, content.get(name), kinds, inside)
        # Truncation is the manifest's; padding and decoding are not used.
        kept = {name: content.get(name) for name in ("added_tokens", "model", *_STAGES)}
        unused = dict.fromkeys(("truncation", "padding", "decoder"))
        return msgspec.json.encode({"version": "1.0"} | unused | kept).decode()
    except (ValueError, RecursionError) as error:
        raise OnbrandError(
            f"is no tokenizer of an encoder ({summarize(error)})", path=path
        ) from None


def _check_stage(name: str, stage: object, kinds: dict[str, Rules], inside: str) -> None:
    """Check a part that may be missing, or a sequence of several parts."""
    if stage is None:
        return
    parts: Any = [stage]
    if isinstance(stage, dict) and stage.get("type") == "Sequence":
        parts = stage.get(inside)
        if set(stage) != {"type", inside} or not isinstance(parts, list) or len(parts) > 16:
            raise ValueError(f"{name}: a Sequence of something else, or of too much")
    for part in parts:
        _check_part(name, part, kinds)
    # Most of them make a text longer, if not by much.
    for kind, count in Counter(part["type"] for part in parts).items():
        if count > 1 and kind not in ("Replace", "Split"):
            raise ValueError(f"{name}: {kind} {count} times")


def _check_part(name: str, part: object, kinds: dict[str, Rules]) -> None:
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(part, dict) or not isinstance(kind, str) or kind not in kinds:
        raise ValueError(f"{name}: {str(kind)[:40]!r} is nothing that encoders need")
    rules = {field.rstrip("?"): rule for field, rule in kinds[kind].items()}
    missing = [field for field in kinds[kind] if not field.endswith("?") and field not in part]
    for field in (*missing, *(part.keys() - rules.keys() - {"type"})):
        raise ValueError(
            f"{name}: {kind} {'without' if field in missing else 'with'} {field[:40]!r}"
        )
    for field, rule in rules.items():
        if field in part and not rule(part[field]):
            raise ValueError(f"{name}: {kind} with a {field!r} that no encoder needs")
    if kind in _WHOLE and not _WHOLE[kind](part):
        raise ValueError(f"{name}: {kind} whose fields do not fit together")


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_id(value: object) -> bool:
    return type(value) is int and 0 <= value <= _MAX_ID


def _is_piece(value: object) -> bool:
    return isinstance(value, str) and len(value) <= _MAX_PIECE


def _is_short(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 16


def _one_of(*values: object) -> Rule:
    return lambda value: value in values


def _or_null(rule: Rule) -> Rule:
    return lambda value: value is None or rule(value)


def _are(values: Iterable[object], kind: type) -> bool:
    return set(map(type, values)) <= {kind}


def _are_pieces(values: Collection[Any], least: int = 0) -> bool:
    """Tell whether all are texts within a token's length; fast, as there are many."""
    if not _are(values, str):
        return False
    lengths = set(map(len, values))
    return not lengths or (min(lengths) >= least and max(lengths) <= _MAX_PIECE)


def _are_pairs(values: Collection[Any]) -> bool:
    return _are(values, list) and set(map(len, values)) == {2}


def _is_vocabulary(value: object) -> bool:
    if not isinstance(value, dict) or len(value) > _MAX_ENTRIES or not _are(value.values(), int):
        return False
    ids = value.values()
    return _are_pieces(value) and (not ids or (min(ids) >= 0 and max(ids) <= _MAX_ID))


def _is_scored(value: object) -> bool:
    """Tell whether it is the table of a Unigram model: pieces with their log-probabilities."""
    if not isinstance(value, list) or not 0 < len(value) <= _MAX_ENTRIES:
        return False
    if not _are_pairs(value):
        return False
    pieces, scores = zip(*value, strict=True)
    numbers = set(map(type, scores)) <= {int, float}
    return numbers and _are_pieces(pieces, least=1) and max(map(abs, scores)) < 1e6


def _are_merges(value: object) -> bool:
    """Tell whether it is a list of pairs of pieces, or of both with a space between."""
    if not isinstance(value, list) or len(value) > _MAX_ENTRIES:
        return False
    if _are(value, str):
        return max(map(len, value), default=0) <= 2 * _MAX_PIECE + 1
    return _are_pairs(value) and _are_pieces([piece for pair in value for piece in pair])


def _is_pattern(value: object) -> bool:
    match value:
        case {"String": str(text), **rest}:
            return not rest and 0 < len(text) <= 16
        case {"Regex": str(regex), **rest}:
            return not rest and regex in REGEXES
    return False


def _is_template(value: object) -> bool:
    if not isinstance(value, list) or len(value) > 256:
        return False
    references = [list(piece.items()) if isinstance(piece, dict) else [] for piece in value]
    return all(
        len(piece) == 1
        and piece[0][0] in ("SpecialToken", "Sequence")
        and isinstance(piece[0][1], dict)
        and piece[0][1].keys() == {"id", "type_id"}
        and _is_piece(piece[0][1]["id"])
        and _is_id(piece[0][1]["type_id"])
        for piece in references
    )


def _are_specials(value: object) -> bool:
    return (
        isinstance(value, dict)
        and len(value) <= 64
        and all(
            isinstance(special, dict)
            and special.keys() == {"id", "ids", "tokens"}
            and special["id"] == name
            and isinstance(special["ids"], list)
            and isinstance(special["tokens"], list)
            and 0 < len(special["ids"]) == len(special["tokens"]) <= 8
            and all(map(_is_id, special["ids"]))
            and all(map(_is_piece, special["tokens"]))
            for name, special in value.items()
        )
    )


def _is_token(value: object) -> bool:
    """Tell whether it is a pair of a token and its id."""
    return isinstance(value, list) and len(value) == 2 and _is_piece(value[0]) and _is_id(value[1])


def _are_added(value: object) -> bool:
    flags = ("single_word", "lstrip", "rstrip", "normalized", "special")
    return (
        value is None
        or (
            isinstance(value, list)
            and len(value) <= 4096
            and all(
                isinstance(token, dict)
                and token.keys() == {"id", "content", *flags}
                and _is_id(token["id"])
                and _is_piece(token["content"])
                and all(isinstance(token[flag], bool) for flag in flags)
                # A white-space token that strips the white space beside it makes the library panic.
                and (token["content"].strip() or not any(token[flag] for flag in flags[:3]))
                and token["content"]
                for token in value
            )
        )
    )


def _is_charsmap(value: object) -> bool:
    """Tell whether it is a SentencePiece map whose offsets all stay inside it.

    It is a trie (double array of 32-bit units) followed by the strings that its leaves point at.
    The library follows offsets without checking them, so every reachable one is checked here.
    """
    if not isinstance(value, str) or len(value) > _MAX_CHARSMAP:
        return False
    try:
        blob = base64.b64decode(value, validate=True)
        size = int.from_bytes(blob[:4], "little")
        units = np.frombuffer(blob[4 : 4 + size], "<u4").astype(np.int64)
        strings = blob[4 + size :]
        strings.decode("utf-8")
    except (binascii.Error, ValueError):
        return False
    if len(units) * 4 != size or not size:
        return False
    if max(map(len, strings.split(b"\0"))) > _MAX_REPLACEMENT:
        return False
    inner = units < 2**31
    places = np.arange(len(units)) ^ (units >> 10 << ((units & 2**9) >> 6))
    if (places[inner] | 255).max(initial=0) >= len(units):
        return False
    ends = units[places[inner & (units & 2**8 > 0)]] & (2**31 - 1)
    letters = np.frombuffer(strings + b"\0", np.uint8)
    return bool(ends.max(initial=0) < len(letters) and (letters[ends] & 0xC0 != 0x80).all())


_BEHAVIOR = _one_of("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous")
_BYTE_LEVEL: Rules = {
    "add_prefix_space": _is_flag,
    "trim_offsets": _is_flag,
    "use_regex?": _is_flag,
}

_NORMALIZERS: dict[str, Rules] = {
    "BertNormalizer": {
        "clean_text": _is_flag,
        "handle_chinese_chars": _is_flag,
        "strip_accents": _or_null(_is_flag),
        "lowercase": _is_flag,
    },
    "Strip": {"strip_left": _is_flag, "strip_right": _is_flag},
    "Replace": {"pattern": _is_pattern, "content": _is_short},
    "Prepend": {"prepend": lambda value: _is_short(value) and value != ""},
    "Precompiled": {"precompiled_charsmap": _is_charsmap},
    **{kind: {} for kind in ("Lowercase", "NFC", "NFD", "NFKC", "NFKD", "Nmt", "StripAccents")},
}
_PRE_TOKENIZERS: dict[str, Rules] = {
    "ByteLevel": _BYTE_LEVEL,
    "Metaspace": {
        "replacement": lambda value: isinstance(value, str) and len(value) == 1,
        "prepend_scheme?": _one_of("first", "never", "always"),
        "add_prefix_space?": _is_flag,
        "split?": _is_flag,
        "str_rep?": lambda value: isinstance(value, str) and len(value) == 1,
    },
    "Punctuation": {"behavior?": _BEHAVIOR},
    "Digits": {"individual_digits": _is_flag},
    "Split": {"pattern": _is_pattern, "behavior": _BEHAVIOR, "invert": _is_flag},
    **{kind: {} for kind in ("BertPreTokenizer", "Whitespace", "WhitespaceSplit")},
}
_POST_PROCESSORS: dict[str, Rules] = {
    "TemplateProcessing": {
        "single": _is_template,
        "pair": _is_template,
        "special_tokens": _are_specials,
    },
    "BertProcessing": {"sep": _is_token, "cls": _is_token},
    "RobertaProcessing": {
        "sep": _is_token,
        "cls": _is_token,
        "trim_offsets": _is_flag,
        "add_prefix_space": _is_flag,
    },
    "ByteLevel": _BYTE_LEVEL,
}
_STAGES = {
    "normalizer": (_NORMALIZERS, "normalizers"),
    "pre_tokenizer": (_PRE_TOKENIZERS, "pretokenizers"),
    "post_processor": (_POST_PROCESSORS, "processors"),
}
_MODELS: dict[str, Rules] = {
    "WordPiece": {
        "unk_token": _is_piece,
        "continuing_subword_prefix": _is_short,
        # The time for a word grows with the third power of its length.
        "max_input_chars_per_word": lambda value: type(value) is int and 0 < value <= 200,
        "vocab": _is_vocabulary,
    },
    "Unigram": {"unk_id": _or_null(_is_id), "vocab": _is_scored, "byte_fallback?": _is_flag},
    "BPE": {
        "dropout?": _one_of(None),
        "unk_token?": _or_null(_is_piece),
        "continuing_subword_prefix?": _or_null(_is_short),
        "end_of_word_suffix?": _or_null(_is_short),
        "fuse_unk?": _is_flag,
        "byte_fallback?": _is_flag,
        "ignore_merges?": _is_flag,
        "vocab": _is_vocabulary,
        "merges": _are_merges,
    },
    "WordLevel": {"vocab": _is_vocabulary, "unk_token": _is_piece},
}
_ADDED: dict[str, Rules] = {"list": {"tokens": _are_added}}
_WHOLE: dict[str, Rule] = {
    # Several replacements in a row that each lengthen the text would fill the memory.
    "Replace": lambda part: len(part["content"]) <= len(part["pattern"].get("String", " ")),
    "TemplateProcessing": lambda part: all(
        reference["id"] in (part["special_tokens"] if kind == "SpecialToken" else texts)
        for texts, template in (("A", part["single"]), (("A", "B"), part["pair"]))
        for piece in template
        for kind, reference in piece.items()
    ),
    "Unigram": lambda part: part["unk_id"] is None or part["unk_id"] < len(part["vocab"]),
}
"""Rules that concern several fields of a part."""
