"""Making encoder bundles: find a model, export it, pool its layers, quantise it, verify the result.

Nothing here is needed to judge text; `onbrand.encoder` runs the bundles.
"""

import onbrand  # noqa: F401 - switches the telemetry of onnxruntime off, before it is imported
