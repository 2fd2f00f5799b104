"""Fetching a model from the Hugging Face hub, or finding it in the hub's cache."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

from onbrand.errors import OnbrandError, missing_extra
from onbrand_models.quiet import quiet

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
    """Return why there is no answer, whichever HTTP library the hub's own stands on."""
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
