"""Benchmark of encoders: layers and quantisation recipes side by side, on your own labels.

Start at `onbrand_models.bench.compare`.
"""
