"""Keeps what was computed, so that a study that was stopped goes on where it was."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[np.generic]]


def kept(path: Path, compute: Callable[[], Arrays]) -> Arrays:
    """The arrays in ``path``; computed and written first where it is not there. Half a file is never seen."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.stem}.{os.getpid()}.part.npz")
        np.savez(part, **compute())  # type: ignore[arg-type]
        part.replace(path)
    with np.load(path, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}
