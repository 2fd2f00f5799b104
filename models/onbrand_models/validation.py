"""Checks that a tokenizer or an encoder works, on built-in sentences and edge cases."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources
from pathlib import Path

from tokenizers import Tokenizer

from onbrand.encoder import Encoder
from onbrand.encoder.bundle import MANIFEST
from onbrand.errors import OnbrandError, wrap_errors
from onbrand_models.library_noise import suppress_stderr


@cache
def _lines() -> tuple[str, ...]:
    text = resources.files("onbrand_models").joinpath("sentences.txt").read_text("utf-8")
    return tuple(line for line in text.split("\n") if line)


MAX_WORDS = 1024
"""Words of the longest edge case: full attention takes memory by the square of the length."""


def calibration_sentences() -> list[str]:
    """Return every second line, and all of them as one text, so that late positions occur too."""
    lines = _lines()[::2]
    return [*lines, " ".join(lines)]


def parity_sentences() -> list[str]:
    """Return the other lines, which calibration does not use."""
    return list(_lines()[1::2])


def edge_case_texts(max_tokens: int) -> list[str]:
    """Return edge cases: empty, emoji, other scripts, one endless word, a text of full length."""
    return [
        "",
        ".",
        "\N{ROCKET}\N{ZERO WIDTH JOINER}\N{ROCKET}",
        "Ünïcödé, ελληνικά, 日本語, العربية",
        "x" * 5000,
        "word " * min(max_tokens, MAX_WORDS),
    ]


def validate_tokenizer(
    tokenizer: Tokenizer, path: Path, max_tokens: int, rows: int | None = None
) -> int:
    """Tokenise the built-in sentences and the edge cases; return the highest token id.

    Args:
        tokenizer: it is left without truncation and padding.
        path: its file, for errors.
        max_tokens: length at which texts are cut.
        rows: size of the model's vocabulary, None if unknown.

    Raises:
        OnbrandError: it fails, its special tokens leave no room for words, or its tokens are none,
            the same for every text, or outside of the vocabulary.
    """
    special = tokenizer.num_special_tokens_to_add(is_pair=False)
    if special >= max_tokens:
        raise OnbrandError(
            f"adds {special} tokens to every text, which leaves no room for words: texts are cut "
            f"at {max_tokens} tokens",
            path=path,
        )
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    with wrap_errors("cannot put text into tokens", path), suppress_stderr():
        found = tokenizer.encode_batch([*calibration_sentences(), *edge_case_texts(max_tokens)])
    tokenizer.no_truncation()
    if not all(encoding.ids for encoding in found):
        raise OnbrandError(
            "adds no special tokens, so that an empty text would have no vector; "
            "give it a post-processor",
            path=path,
        )
    if len({tuple(encoding.ids) for encoding in found}) == 1:
        raise OnbrandError("gives the same tokens for every text; take a sound copy", path=path)
    highest: int = max(max(encoding.ids) for encoding in found)
    if rows is not None and highest >= rows:
        raise unknown_token(highest, rows, path)
    return highest


def unknown_token(token: int, rows: int, path: Path) -> OnbrandError:
    """Return the error for a token that a model of ``rows`` tokens does not know."""
    return OnbrandError(
        f"has token {token}, but the model knows {rows} tokens; take both from the same model",
        path=path,
    )


def validate_encoder(encoder: Encoder, bundle: Path, texts: Sequence[str] = ()) -> None:
    """Check that an encoder encodes the edge cases, one of them of full length, and ``texts``.

    Args:
        encoder: loaded from ``bundle``.
        bundle: its folder, for errors.
        texts: further texts that it must encode.

    Raises:
        OnbrandError: it does not run, or its vectors are not finite.
    """
    try:
        with suppress_stderr():
            encoder.encode([*edge_case_texts(encoder.max_tokens), *texts])
    except OnbrandError as error:
        problem = (
            f"cannot encode texts of up to {encoder.max_tokens} tokens, as {MANIFEST} promises"
        )
        raise OnbrandError(f"{problem} ({error.message})", path=bundle) from error
