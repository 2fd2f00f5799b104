"""Checks of a bundle's files, graph and tokenizer, which load nothing into onnxruntime."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from onbrand.encoder.bundle import INPUTS, LICENCE, MANIFEST, EncoderManifest, read_file
from onbrand.encoder.graph import graph_problems, read_graph
from onbrand.encoder.tokenizer import load_tokenizer
from onbrand.errors import OnbrandError
from onbrand_models.quantise import Target
from onbrand_models.validation import validate_tokenizer
from onbrand_models.verify.tolerances import Check


def check_files(folder: Path, manifest: EncoderManifest) -> Check:
    """Check sizes and checksums, and that nothing lies beside the listed files.

    Raises:
        OnbrandError: a file is missing, a link, or not as in the manifest: the bundle is broken
            and cannot be verified further.
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


def check_graph(data: bytes, manifest: EncoderManifest) -> Check:
    """Check the graph in ``data``: plain ONNX, known operators and versions, no external data."""
    try:
        graph = read_graph(data)
    except OnbrandError as error:
        return Check("graph", False, error.message)
    used = Counter(node.operator for node in graph.nodes)
    figures = {
        "nodes": len(graph.nodes),
        "operators": dict(sorted(used.items())),
        "opsets": graph.opsets,
        "ir": graph.ir_version,
    }
    problem = next(graph_problems(graph, manifest), None)
    version = graph.opsets.get("ai.onnx")
    if problem is None and version != manifest.opset:
        problem = f"ai.onnx {version}, but {MANIFEST} says {manifest.opset}"
    if problem is not None:
        return Check("graph", False, problem, figures=figures)
    versions = ", ".join(f"{domain} {version}" for domain, version in graph.opsets.items())
    detail = f"{len(graph.nodes)} nodes of {len(used)} known operators; {versions}"
    return Check("graph", True, f"{detail}; no external data", figures=figures)


def check_tokenizer(path: Path, tokenizer: bytes, graph: bytes, max_tokens: int) -> Check | None:
    """Check that every text has tokens, and every token a row in the word table.

    A tokenizer with more tokens than the table has rows works until a text has such a token. The
    engine must be able to load it. Returns None if the table cannot be found.

    Args:
        path: the bundle's tokenizer file.
        tokenizer: its content.
        graph: the content of the bundle's graph.
        max_tokens: length at which texts are cut.
    """
    try:
        words = load_tokenizer(tokenizer, max_tokens, path)
        highest = validate_tokenizer(words, path, max_tokens)
    except OnbrandError as error:
        return Check("tokenizer", False, error.message)
    vocabulary = words.get_vocab(with_added_tokens=True)
    highest = max(highest, *vocabulary.values()) if vocabulary else highest
    rows = _word_rows(graph)
    if rows is None:
        return None
    detail = f"token ids up to {highest:,}; the word table has {rows:,} rows"
    return Check("tokenizer", highest < rows, detail, figures={"highest": highest, "rows": rows})


def _word_rows(data: bytes) -> int | None:
    """Return the rows of the smallest word table of a graph, None if none is found."""
    graph = read_graph(data)
    rows = [
        graph.shapes[name][0]
        for node in graph.nodes
        if INPUTS[0] in node.inputs
        for name in node.inputs
        if len(graph.shapes.get(name, ())) == 2
    ]
    return min(rows, default=None)
