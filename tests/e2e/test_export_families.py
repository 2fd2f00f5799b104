"""Every family of encoders: its bundle gives PyTorch's vectors, layer by layer, token by token."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest
from tiny_models import DEPTH, HIDDEN, MAX_TOKENS, tiny_model

from onbrand.encoder import Encoder
from onbrand_models.export import ExportOptions, export_bundle
from onbrand_models.quantise import Target
from onbrand_models.source import FAMILIES, SourceModel, find_source
from onbrand_models.validation import parity_sentences

pytestmark = [
    pytest.mark.usefixtures("brief"),
    pytest.mark.heavy("torch", "transformers", "optimum", "onnx"),
    # torch and optimum announce their own deprecations.
    pytest.mark.filterwarnings("default"),
]

LINES = [
    *parity_sentences()[:20],
    "",
    "Oats.",
    "Héllo  world — we’re “launching” 🎉👩‍💻 a naïve ﬁne <mask> [SEP] café! ",
    " ".join(parity_sentences()),  # longer than any of the models takes
]


class Exported(NamedTuple):
    source: SourceModel
    encoder: Encoder
    expected: Any
    """PyTorch's vectors of `LINES`, by layer: (lines, layers, hidden)."""


@pytest.fixture(scope="module", params=FAMILIES)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    from onbrand_models.export import reference_vectors

    folder = tmp_path_factory.mktemp(request.param)
    source = find_source(str(tiny_model(request.param, folder / "model")))
    options = ExportOptions(target=Target.FLOAT32, measure=False)
    export_bundle(source, folder / "bundle", options)
    vectors = reference_vectors(source, LINES, range(DEPTH + 1), MAX_TOKENS)
    return Exported(
        source,
        Encoder.load(folder / "bundle", cache_size=0),
        vectors.reshape(len(LINES), DEPTH + 1, HIDDEN),
    )


def lowest_cosine(found: Any, expected: Any) -> float:
    """The rows are unit vectors."""
    return float((found.reshape(expected.shape) * expected).sum(axis=-1).min())


def test_a_bundle_gives_the_vectors_of_its_source_in_a_batch_with_others(
    exported: Exported,
) -> None:
    encoder = exported.encoder
    assert (encoder.layers, encoder.max_tokens) == (tuple(range(DEPTH + 1)), MAX_TOKENS)
    together = encoder._run(["vectors"], [job.ids for job in encoder._jobs(LINES)])[0]
    assert lowest_cosine(together, exported.expected) > 0.9999
    assert lowest_cosine(encoder.encode(LINES), exported.expected) > 0.9999
    assert encoder.manifest.parity is not None
    assert encoder.manifest.parity.min > 0.9999


def test_a_bundle_passes_verification(exported: Exported) -> None:
    from onbrand_models.verify import verify_bundle

    bundle = exported.source.folder.with_name("bundle")
    failed = [check for check in verify_bundle(bundle) if not check.passed]
    assert failed == []


def test_layers_are_told_apart(exported: Exported) -> None:
    """Else the test above could not fail for the wrong layer."""
    for layer in range(DEPTH):
        pair = exported.expected[:, layer : layer + 2]
        assert lowest_cosine(pair[:, 0], pair[:, 1]) < 0.999


def test_a_model_cut_after_a_layer_has_the_same_states_there_and_can_be_quantised(
    exported: Exported,
) -> None:
    import onnxruntime as ort
    from tokenizers import Tokenizer

    from onbrand_models.export import pooled_graph
    from onbrand_models.quantise.recipes import quantise
    from onbrand_models.quantise.static import calibration_feeds

    graph = pooled_graph(exported.source, [1])
    jobs = exported.encoder._jobs(LINES)

    def lowest(model: Any) -> float:
        session = ort.InferenceSession(
            model.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        found = []
        for job in jobs:
            feeds = {"input_ids": job.ids[None], "attention_mask": np.ones_like(job.ids[None])}
            found.append(session.run(["vectors"], feeds)[0][0])
        return lowest_cosine(np.stack(found), exported.expected[:, 1])

    assert lowest(graph) > 0.9999
    tokenizer = Tokenizer.from_file(str(exported.source.tokenizer))
    tokenizer.enable_truncation(MAX_TOKENS)
    size = graph.ByteSize()
    small = quantise(graph, calibration_feeds(tokenizer))
    assert lowest(small) > 0.98
    assert small.ByteSize() < size / 2


def test_tokens_are_those_of_transformers_and_know_their_place(exported: Exported) -> None:
    from onbrand_models.source import load_tokenizer

    tokenizer, encoder = load_tokenizer(exported.source), exported.encoder
    cut = [len(tokenizer(text)["input_ids"]) > MAX_TOKENS for text in LINES]
    assert encoder.truncated(LINES) == cut
    assert cut[-1]
    for job in encoder._jobs(LINES):
        ids = tokenizer(job.text, truncation=True, max_length=MAX_TOKENS)["input_ids"]
        assert job.ids.tolist() == ids
        assert (ids[0], ids[-1]) == (tokenizer.cls_token_id, tokenizer.sep_token_id)
    for text, long, parts in zip(LINES, cut, encoder.encode_tokens(LINES), strict=True):
        assert [tuple(parts.spans[i]) for i in (0, -1)] == [(0, 0)] * 2
        pieces = [text[start:end] for start, end in parts.spans]
        # None begins with the space before it, or a word's share would go to no word.
        assert all(piece == piece.lstrip() for piece in pieces)
        covered = {i for start, end in parts.spans for i in range(start, end)}
        if not long:
            assert {i for i, character in enumerate(text) if not character.isspace()} <= covered
