"""From a bundle in 32-bit floats to one for a target; the source model is not needed."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from onbrand.encoder import Encoder, EncoderManifest, read_manifest
from onbrand.encoder.bundle import MODEL, TOKENIZER, Parity, read_file
from onbrand.errors import OnbrandError, missing_extra
from onbrand_models.export import measure_speed
from onbrand_models.reference import cosines
from onbrand_models.sentences import parity_sentences
from onbrand_models.targets import Target
from onbrand_models.writing import bundle_files, replace_bundle, write_manifest

if TYPE_CHECKING:
    from onbrand_models.quantise import Feeds


def quantise_bundle(
    bundle: Path,
    folder: Path,
    target: Target = Target.PORTABLE,
    *,
    stage: Callable[[str], None] = lambda _: None,
) -> EncoderManifest:
    """Write to ``folder`` the bundle in ``bundle``, quantised for ``target``.

    The manifest keeps what was measured: the cosine of the new vectors to those in floats, and the
    speed here.

    Args:
        bundle: a bundle in 32-bit floats.
        folder: where the new bundle goes; it is replaced only when all went well.
        target: the machines it is for.
        stage: told what is being done.

    Raises:
        OnbrandError: not a bundle in floats, the extra is missing, or it cannot be written.
    """
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
    if bundle.resolve() == folder.resolve():
        raise OnbrandError("is the bundle in floats itself; name another folder", path=folder)
    stage("reading the bundle")
    floats = Encoder.load(bundle, cache_size=0)
    with replace_bundle(folder) as fresh:
        for name in manifest.files.keys() - {MODEL}:
            shutil.copyfile(bundle / name, fresh / name)
        stage("calibrating and quantising")
        model = onnx.load_from_string(read_file(bundle, MODEL, manifest))
        onnx.save(quantise(model, _feeds(bundle, manifest), target), fresh / MODEL)
        manifest = msgspec.structs.replace(
            manifest,
            quantisation=describe(target),
            target=target.value,
            files=bundle_files(fresh, manifest.files),
            parity=None,
            speed=None,
        )
        write_manifest(fresh, manifest)
        stage("measuring parity and speed")
        texts = parity_sentences()
        found = cosines(Encoder.load(fresh).encode(texts), floats.encode(texts))
        manifest = msgspec.structs.replace(
            manifest,
            parity=Parity(round(float(found.mean()), 5), round(float(found.min()), 5), len(texts)),
            speed=measure_speed(fresh),
        )
        write_manifest(fresh, manifest)
    return manifest


def _feeds(bundle: Path, manifest: EncoderManifest) -> Feeds:
    from tokenizers import Tokenizer

    from onbrand_models.quantise import calibration_feeds

    tokenizer = Tokenizer.from_str(read_file(bundle, TOKENIZER, manifest).decode("utf-8"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(manifest.max_tokens)
    return calibration_feeds(tokenizer)
