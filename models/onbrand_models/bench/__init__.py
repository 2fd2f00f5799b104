"""Choosing an encoder by evidence: layers and quantisation recipes side by side, on your labels.

Start at `onbrand_models.bench.compare`.
"""
