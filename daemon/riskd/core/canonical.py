"""One way to write a value as bytes, so that equal figures have equal hashes on every machine."""

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from datetime import date, datetime
from enum import Enum
from typing import Any

import numpy as np

SIGNIFICANT_DIGITS = 9  # numpy differs in the last digits between BLAS kernels


def plain(value: object) -> Any:
    """``value`` as JSON types: dataclasses become objects, floats keep 9 significant digits, NaN and infinity become null."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, (float, np.floating)):
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    return value


def canonical_json(value: object) -> str:
    """Sorted keys, no spaces, no NaN: the text that hashes are taken of."""
    return json.dumps(plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(value: object, length: int = 12) -> str:
    """The first ``length`` hex digits of the SHA-256 of the canonical text."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:length]


def seed(*parts: object) -> int:
    """A 128-bit seed that depends on every part, and on nothing else."""
    return int(digest(parts, 32), 16)
