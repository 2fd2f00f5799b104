"""A source model and its tokenizer, checked: what exporting, comparing and adapting start from."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onbrand.errors import OnbrandError, wrap_errors
from onbrand_models.quiet import no_stderr, quiet
from onbrand_models.source import CONFIG, SourceModel, is_number
from onbrand_models.trying import try_tokenizer, unknown_token

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

_KEPT = """
    added_tokens.json bpe.codes config.json config_sentence_transformers.json merges.txt
    sentence_bert_config.json sentencepiece.bpe.model special_tokens_map.json spiece.model
    tokenizer.json tokenizer.model tokenizer_config.json vocab.json vocab.txt
"""
"""Files that say how text becomes tokens and how long it may be. A hub folder may hold the weights
in five more formats, gigabytes of them."""
_KEPT_PAPERS = ("COPYING", "LICENCE", "LICENSE", "NOTICE", "README")
_LOCAL: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}


def load_model(source: SourceModel, depth: int | None = None) -> PreTrainedModel:
    """Return the model in PyTorch with 32-bit floats, ready to infer.

    Args:
        source: the model.
        depth: how many of its layers; the weights above are left out. All by default.

    Raises:
        OnbrandError: the weights are damaged, hold no numbers or do not fit the configuration.
    """
    from transformers import AutoConfig, AutoModel

    _check_file(source)
    # The weights can be read: what fails now is what config.json says of them.
    with quiet(), one_thread(), wrap_errors("cannot be loaded", source.folder / CONFIG):
        config = AutoConfig.from_pretrained(source.folder, **_LOCAL)
        if depth is not None:
            config.num_hidden_layers = depth
        model, report = AutoModel.from_pretrained(
            source.folder,
            config=config,
            use_safetensors=True,
            # Plain MatMul and Softmax, which every version of onnxruntime runs well.
            attn_implementation="eager",
            ignore_mismatched_sizes=True,  # told below, in one line
            output_loading_info=True,
            **_LOCAL,
        )
    _check_fit(source, report)
    for name, tensor in model.state_dict().items():
        if not tensor.isfinite().all():
            raise OnbrandError(
                f"holds NaN or infinity in {name!r}: its training failed; take a sound copy",
                path=source.weights,
            )
    return model.float().eval()


def load_tokenizer(source: SourceModel) -> PreTrainedTokenizerFast:
    """Return the tokenizer as transformers sets it up, which `tokenizer.json` alone may not say.

    Raises:
        OnbrandError: it cannot be loaded, or does not fit the weights.
    """
    from transformers import AutoConfig, AutoTokenizer, PreTrainedTokenizerFast

    with quiet(), wrap_errors("cannot be loaded", source.folder / CONFIG):
        words = AutoConfig.from_pretrained(source.folder, **_LOCAL).vocab_size
    if not is_number(words) or words < 1:
        raise OnbrandError(
            f"says vocab_size {words!r}; expected a number of tokens", path=source.folder / CONFIG
        )
    with quiet(), no_stderr(), wrap_errors("cannot be loaded", source.tokenizer):
        tokenizer = AutoTokenizer.from_pretrained(source.folder, **_LOCAL)
    if not isinstance(tokenizer, PreTrainedTokenizerFast):
        raise OnbrandError(
            f"has only a slow tokenizer ({type(tokenizer).__name__})", path=source.folder
        )
    vocabulary = tokenizer.get_vocab()
    if not vocabulary:
        raise OnbrandError("knows no tokens at all; take a sound copy", path=source.tokenizer)
    if (highest := max(vocabulary.values())) >= words:
        raise unknown_token(highest, words, source.tokenizer)
    try_tokenizer(tokenizer.backend_tokenizer, source.tokenizer, source.max_tokens, words)
    return tokenizer


def save_model(base: SourceModel, model: PreTrainedModel, folder: Path) -> None:
    """Write a model into an empty folder; its tokenizer and its papers are those of ``base``."""
    kept = _KEPT.split()
    for file in base.folder.iterdir():
        if file.is_file() and (file.name in kept or file.name.startswith(_KEPT_PAPERS)):
            shutil.copyfile(file, folder / file.name)
    with quiet():
        model.cpu().save_pretrained(folder)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Keep PyTorch to one thread in the block.

    For a few short sentences more are hardly faster, and on a busy machine each waits for the
    others at every layer: ten times as long, as measured.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _check_file(source: SourceModel) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(source.weights, "np"):
            pass
    except SafetensorError as error:
        raise OnbrandError(
            f"is damaged ({str(error).rpartition(': ')[2]}); copy or download it again",
            path=source.weights,
        ) from None


def _check_fit(source: SourceModel, report: dict[str, Any]) -> None:
    # Versions of transformers differ in what they say beside the name.
    shapes = [key if isinstance(key, str) else key[0] for key in report["mismatched_keys"]]
    # What pools for the model's first task is not what is pooled here.
    missing = [name for name in report["missing_keys"] if "pooler" not in name]
    for names, problem in ((shapes, "has another shape"), (missing, "is missing")):
        if names:
            raise OnbrandError(
                f"does not fit config.json: {min(names)!r} {problem} ({len(names)} in all); "
                "take both files from the same model",
                path=source.weights,
            )
