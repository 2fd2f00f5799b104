"""From a bundle in 32-bit floats to one for a target; the source model is not needed."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from onbrand.encoder import Encoder, EncoderManifest, read_manifest
from onbrand.encoder.bundle import MODEL, TOKENIZER, read_file
from onbrand.encoder.tokenizer import load_tokenizer
from onbrand.errors import OnbrandError, missing_extra
from onbrand.progress import Progress, ProgressEvent, silent
from onbrand_models.export import measure_speed, parity_of
from onbrand_models.reference import cosines
from onbrand_models.sentences import parity_sentences
from onbrand_models.targets import Target
from onbrand_models.trying import try_encoder, try_tokenizer
from onbrand_models.writing import bundle_files, check_replaceable, replace_bundle, write_manifest

if TYPE_CHECKING:
    from onbrand_models.quantise import Feeds


def quantise_bundle(
    bundle: Path,
    folder: Path,
    target: Target = Target.PORTABLE,
    *,
    progress: Progress = silent,
) -> EncoderManifest:
    """Write to ``folder`` the bundle in ``bundle``, quantised for ``target``.

    The manifest keeps what was measured: the cosine of the new vectors to those in floats, and the
    speed here.

    Args:
        bundle: a bundle in 32-bit floats.
        folder: where the new bundle goes; it is replaced only when all went well.
        target: the machines it is for.
        progress: told what is being done.

    Raises:
        OnbrandError: not a bundle in floats, the extra is missing, or it cannot be written.
    """
    check_replaceable(folder)
    old, new = bundle.resolve(), folder.resolve()
    if new.is_relative_to(old) or old.is_relative_to(new):
        raise OnbrandError(
            "is the bundle in floats, inside of it or around it; name another folder", path=folder
        )
    if importlib.util.find_spec("onnx") is None:
        raise missing_extra("quantising an encoder", "export")
    import onnx

    from onbrand_models.quantise import describe, quantise

    manifest = read_manifest(bundle)
    if manifest.target != Target.FLOAT32:
        raise OnbrandError(
            f"is quantised already (for {manifest.target}); start from one in floats: "
            "onbrand models export SOURCE --target float32 -o DIR",
            path=bundle,
        )
    progress(ProgressEvent("reading the bundle"))
    floats = Encoder.load(bundle, cache_size=0)
    feeds = _feeds(bundle, manifest)
    try_encoder(floats, bundle)
    with replace_bundle(folder) as fresh:
        for name in manifest.files.keys() - {MODEL}:
            shutil.copyfile(bundle / name, fresh / name)
        progress(ProgressEvent("calibrating and quantising"))
        model = onnx.load_from_string(read_file(bundle, MODEL, manifest))
        onnx.save(quantise(model, feeds, target), fresh / MODEL)
        manifest = msgspec.structs.replace(
            manifest,
            quantisation=describe(target),
            target=target.value,
            files=bundle_files(fresh, manifest.files),
            parity=None,
            speed=None,
        )
        write_manifest(fresh, manifest)
        progress(ProgressEvent("measuring parity and speed"))
        texts = parity_sentences()
        found = cosines(Encoder.load(fresh).encode(texts), floats.encode(texts))
        manifest = msgspec.structs.replace(
            manifest,
            parity=parity_of(found, bundle),
            speed=measure_speed(fresh),
        )
        write_manifest(fresh, manifest)
    return manifest


def _feeds(bundle: Path, manifest: EncoderManifest) -> Feeds:
    from onbrand_models.quantise import calibration_feeds

    data = read_file(bundle, TOKENIZER, manifest)
    tokenizer = load_tokenizer(data, manifest.max_tokens, bundle / TOKENIZER)
    try_tokenizer(tokenizer, bundle / TOKENIZER, manifest.max_tokens)
    tokenizer.enable_truncation(manifest.max_tokens)
    return calibration_feeds(tokenizer)
