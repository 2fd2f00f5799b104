"""The encoder gives one vector per text, the same one whatever else happens around it."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from onbrand.encoder import Encoder
from onbrand.errors import Cancelled

TEXTS = [
    "Meet the kettle that remembers you.",
    "Tighten the four bolts crosswise to 25 Nm.",
    "Honestly? 🎉 We just wanted a better sandwich, and so we opened a shop by the canal.",
    "",
    "No.",
]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return Encoder.load(cache_size=0)


class Counting:
    """A session that counts the sentences it is given."""

    def __init__(self, session: Any) -> None:
        self.session, self.sentences = session, 0

    def run(self, outputs: list[str], feeds: dict[str, Any]) -> Any:
        self.sentences += len(feeds["input_ids"])
        return self.session.run(outputs, feeds)


def counted(cache_size: int) -> tuple[Encoder, Counting]:
    encoder = Encoder.load(cache_size=cache_size)
    session = Counting(encoder._session)
    encoder._session = session
    return encoder, session


def test_vectors_are_layers_of_unit_length(encoder: Encoder) -> None:
    vectors = encoder.encode(TEXTS)
    assert (vectors.shape, vectors.dtype) == ((len(TEXTS), 2688), np.float32)
    norms = np.linalg.norm(vectors.reshape(len(TEXTS), 7, 384), axis=2)
    np.testing.assert_allclose(norms, 1, atol=1e-5)


def test_like_texts_have_like_vectors(encoder: Encoder) -> None:
    a, b, c = encoder.encode(
        ["We love our customers.", "We adore our customers!", "Valve 7 leaks at 16 bar."]
    )
    assert a @ b > 1.5 * (a @ c)


def test_nothing_in_nothing_out(encoder: Encoder) -> None:
    assert encoder.encode([]).shape == (0, 2688)
    assert encoder.encode_tokens([]) == []
    assert encoder.truncated([]) == []


def test_a_vector_does_not_depend_on_its_neighbours(encoder: Encoder) -> None:
    crowd = [f"{text} {'and so on ' * i}" for i in range(12) for text in TEXTS]
    together = encoder.encode([*crowd, *TEXTS])[-len(TEXTS) :]
    alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_text_that_comes_twice_is_computed_once() -> None:
    encoder, session = counted(cache_size=0)
    vectors = encoder.encode(["One.", "Two.", "One.", "One."])
    assert session.sentences == 2
    assert (vectors[0] == vectors[2]).all()
    assert (vectors[0] == vectors[3]).all()
    assert (vectors[0] != vectors[1]).any()


def test_known_texts_come_from_the_cache() -> None:
    encoder, session = counted(cache_size=2)
    first = encoder.encode(["One.", "Two."])
    again = encoder.encode(["Two.", "One."])
    assert session.sentences == 2
    assert (first == again[::-1]).all()
    encoder.encode(["Three."])  # pushes out "Two.", the one not used for longest
    encoder.encode(["One."])
    assert session.sentences == 3
    encoder.encode(["Two."])
    assert session.sentences == 4


def test_writing_to_a_result_does_not_reach_the_cache() -> None:
    encoder = Encoder.load(cache_size=10)
    first = encoder.encode(["One."])
    kept = first.copy()
    first[:] = 0
    assert (encoder.encode(["One."]) == kept).all()


def test_long_texts_are_cut_and_reported(encoder: Encoder) -> None:
    fits, too_long = "word " * 254, "word " * 255
    assert encoder.truncated([fits, too_long, "short"]) == [False, True, False]
    a, b = encoder.encode([fits, too_long + "and much more"])
    np.testing.assert_allclose(a, b, atol=1e-5)


def test_token_parts_add_up_and_point_into_the_text(encoder: Encoder) -> None:
    text = "Honestly? 🎉 We wanted naïve café sandwiches."
    (tokens,) = encoder.encode_tokens([text])
    assert tokens.parts.shape == (len(tokens.spans), 2688)
    np.testing.assert_allclose(tokens.parts.sum(axis=0), encoder.encode([text])[0], atol=1e-5)
    pieces = [text[start:end] for start, end in tokens.spans]
    assert pieces[0] == pieces[-1] == ""  # [CLS] and [SEP]
    assert pieces[1:5] == ["Honestly", "?", "🎉", "We"]
    assert "".join(pieces) == text.replace(" ", "")


@pytest.mark.parametrize(
    "text", ["\0", "a\ud800b", "\udfff", "\u2028\r\r\n", "‏שלום", "\u200b", "é" * 9]
)
def test_odd_text_is_encoded_like_any_other(encoder: Encoder, text: str) -> None:
    (vector,) = encoder.encode([text])
    assert np.isfinite(vector).all()
    (tokens,) = encoder.encode_tokens([text])
    np.testing.assert_allclose(tokens.parts.sum(axis=0), vector, atol=1e-5)
    assert (tokens.spans <= len(text)).all()


def test_half_a_surrogate_pair_keeps_the_offsets(encoder: Encoder) -> None:
    text = "a\ud800 bolt"
    (tokens,) = encoder.encode_tokens([text])
    assert "bolt" in [text[start:end] for start, end in tokens.spans]


def test_a_megabyte_in_one_text(encoder: Encoder) -> None:
    text = "lorem ipsum " * 90_000
    assert encoder.truncated([text]) == [True]
    assert np.isfinite(encoder.encode([text])).all()


def test_progress_reaches_the_number_of_texts(encoder: Encoder) -> None:
    seen: list[float] = []
    texts = [f"Line {i % 90} of many." for i in range(100)]
    encoder.encode(texts, progress=lambda event: seen.append(event.done))
    assert seen == sorted(seen)
    assert (seen[-1], len(seen) > 1) == (100, True)


def test_cancelling_stops_between_batches_and_leaves_the_encoder_usable() -> None:
    encoder, session = counted(cache_size=0)
    texts = [f"Line {i} of a very long document." for i in range(2000)]
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > 2

    with pytest.raises(Cancelled):
        encoder.encode(texts, cancelled=cancelled)
    assert session.sentences < len(texts) / 2
    assert encoder.encode(["Still here."], cancelled=lambda: False).shape == (1, 2688)


def test_an_error_in_a_batch_reaches_the_caller(encoder: Encoder) -> None:
    class Broken:
        def run(self, *_: object) -> None:
            raise MemoryError

    broken = Encoder(encoder.manifest, Broken(), encoder._tokenizer, 2, 0, Path())
    with pytest.raises(MemoryError):
        broken.encode(TEXTS)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_many_callers_at_once(threads: int) -> None:
    encoder = Encoder.load(threads=threads, cache_size=8)
    assert encoder.threads == threads
    texts = [f"{text} ({i})" for i in range(10) for text in TEXTS]
    expected = encoder.encode(texts)
    with ThreadPoolExecutor(6) as callers:
        for vectors in callers.map(lambda _: encoder.encode(texts), range(6)):
            np.testing.assert_allclose(vectors, expected, atol=1e-5)


def test_importing_is_cheap_and_encoding_needs_no_training_framework() -> None:
    script = """
import sys
import onbrand.encoder
early = {"onnxruntime", "tokenizers"} & set(sys.modules)
onbrand.encoder.Encoder.load().encode(["A line."])
late = {"torch", "transformers", "onnx", "optimum", "sklearn", "scipy"} & set(sys.modules)
assert not early and not late, (early, late)
"""
    subprocess.run([sys.executable, "-c", script], check=True)
