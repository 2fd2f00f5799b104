"""Letting onnxruntime rewrite a graph once and for all: loading it then takes half the time."""

from __future__ import annotations

import tempfile
from pathlib import Path

import onnx
import onnxruntime as ort

_SLOWER = ["SkipLayerNormFusion", "BiasGeluFusion"]
"""Their kernels take longer than the plain operators, and hide the biases of dense layers."""


def fuse(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the graph with constants folded, layer norms, GELUs and scaled products fused.

    The "extended" level is the highest whose result runs on every CPU.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fused.onnx"
        options = ort.SessionOptions()
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(path)
        options.log_severity_level = 4  # an error is raised, and told once
        ort.InferenceSession(
            model.SerializeToString(),
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=_SLOWER,
        )
        return onnx.load(path)


def tidy(model: onnx.ModelProto) -> None:
    """Remove what no node uses, and let the values within the graph have short names.

    A name of an exporter is as long as a path, and stands in the file at each use: 70 kB in all.
    """
    graph = model.graph
    outside = {value.name for value in (*graph.input, *graph.output)}
    used = {name for node in graph.node for name in node.input} | outside
    for tensor in [t for t in graph.initializer if t.name not in used]:
        graph.initializer.remove(tensor)
    del graph.value_info[:]
    short = {name: name for name in (*outside, "")}
    for tensor in graph.initializer:
        tensor.name = short.setdefault(tensor.name, f"c{len(short)}")
    for node in graph.node:
        node.ClearField("name")
        node.ClearField("doc_string")
        for names in (node.input, node.output):
            names[:] = [short.setdefault(name, f"v{len(short)}") for name in names]
    domains = {node.domain for node in graph.node}
    for opset in [opset for opset in model.opset_import if opset.domain not in domains]:
        model.opset_import.remove(opset)
    for domain in domains - {opset.domain for opset in model.opset_import}:
        model.opset_import.append(onnx.helper.make_opsetid(domain, 1))
