"""Who predicts: networks that run as ONNX graphs."""

import os

# Before onnxruntime loads, or 1.31 keeps a device identifier in the home folder and reports usage to its maker.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
