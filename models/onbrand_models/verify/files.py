"""Does the bundle hold what its manifest lists, all of it and nothing else?"""

from __future__ import annotations

from pathlib import Path

from onbrand.encoder.bundle import LICENCE, MANIFEST, EncoderManifest, read_file
from onbrand_models.targets import Target
from onbrand_models.verify.budgets import Check


def check_files(folder: Path, manifest: EncoderManifest) -> Check:
    """Check sizes and checksums, and that nothing lies beside the listed files.

    Raises:
        OnbrandError: a file is missing, a link, or not what the manifest says: such a bundle is
            broken, and there is nothing to verify.
    """
    for name in manifest.files:
        read_file(folder, name, manifest)
    strays = sorted(p.name for p in folder.iterdir() if p.name not in {MANIFEST, *manifest.files})
    figures = {"files": len(manifest.files), "bytes": manifest.size, "strays": strays}
    if strays:
        named = ", ".join(strays[:5]) + (" …" if len(strays) > 5 else "")
        return Check("files", False, f"not listed in {MANIFEST}: {named}", figures=figures)
    if LICENCE not in manifest.files:
        return Check("files", False, f"no {LICENCE}: nobody may pass it on", figures=figures)
    if manifest.target not in set(Target):
        known = ", ".join(Target)
        detail = f"target {manifest.target[:80]!r} is none of {known}"
        return Check("files", False, detail, figures=figures)
    return Check(
        "files",
        True,
        f"{len(manifest.files)} files, {manifest.size / 1e6:.1f} MB; sizes and checksums match",
        figures=figures,
    )
