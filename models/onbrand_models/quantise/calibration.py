"""What a model computes on its way, for the sentences that it is calibrated on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Tokenizer

from onbrand.encoder.bundle import INPUTS
from onbrand.errors import OnbrandError, wrap_errors
from onbrand_models.sentences import calibration_sentences

Feeds = Sequence[dict[str, NDArray[np.int64]]]
"""Inputs of a graph, one sentence each."""

Floats = NDArray[np.float32]


def calibration_feeds(tokenizer: Tokenizer) -> Feeds:
    """Return the built-in sentences that recipes are calibrated on, as a graph's inputs.

    Args:
        tokenizer: of the model; cuts texts at the bundle's length and does not pad.
    """
    return [
        dict(zip(INPUTS, (np.array([e.ids]), np.array([e.attention_mask])), strict=True))
        for e in tokenizer.encode_batch(calibration_sentences())
    ]


def activations(
    model: onnx.ModelProto, names: Sequence[str], feeds: Feeds
) -> Iterator[dict[str, Floats]]:
    """Yield the named tensors for each of ``feeds``, each as (tokens, channels).

    One sentence at a time: those of a large model would not fit in memory together.

    Raises:
        OnbrandError: the model cannot be run on them, or gives what are no numbers.
    """
    probe = onnx.ModelProto()
    probe.CopyFrom(model)
    names = list(dict.fromkeys(names))
    known = {value.name for value in probe.graph.output}
    probe.graph.output.extend(onnx.ValueInfoProto(name=n) for n in names if n not in known)
    options = ort.SessionOptions()
    options.log_severity_level = 4  # an error is raised, and told once
    options.intra_op_num_threads = 1  # the same sums on every machine, and no waiting
    session = ort.InferenceSession(
        probe.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    for feed in feeds:
        with wrap_errors("the model cannot be run on the sentences that it is calibrated on"):
            values = session.run(names, feed)
        if not all(np.isfinite(value).all() for value in values):
            raise OnbrandError(
                "the model computes what are no finite numbers; its weights or its config.json "
                "are broken, take a sound copy"
            )
        yield {
            name: value.reshape(-1, value.shape[-1])
            for name, value in zip(names, values, strict=True)
        }
