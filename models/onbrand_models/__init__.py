"""Tools that make encoder bundles: find, export, fine-tune, quantise, verify and compare models.

Checking text needs none of this: `onbrand.encoder` runs the bundles.
"""

import onbrand  # noqa: F401 - switches the telemetry of onnxruntime off, before it is imported
