"""Pieces of work that are done once: what was computed is kept under a key, and a run that was stopped goes on."""

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import Progress

Arrays = Mapping[str, NDArray[Any]]
Told = Callable[[str, float], None]  # the piece of work under way, and the share of it that is done, from 0 to 1


def kept(folder: Path, key: str, compute: Callable[[], Any]) -> Any:
    """What ``compute`` gives, from ``folder``/``key``.npz or .json if it is there; else computed and written first.

    Named arrays (a mapping whose every value is an array) become npz, anything else JSON: both come back as a file holds them,
    tuples as lists, also the first time. Half a file is never seen. A key stands for every number that the result depends on,
    or else the folder does: the preset's name belongs in one of them.
    """
    arrays, values = folder / f"{key}.npz", folder / f"{key}.json"
    if not arrays.exists() and not values.exists():
        arrays.parent.mkdir(parents=True, exist_ok=True)
        _write(compute(), arrays, values)
    if values.exists():
        return json.loads(values.read_text())
    with np.load(arrays, allow_pickle=False) as stored:
        return {name: stored[name] for name in stored.files}


def _write(result: Any, arrays: Path, values: Path) -> None:
    if isinstance(result, Mapping) and result and all(isinstance(value, np.ndarray) for value in result.values()):
        part = arrays.with_name(f"{arrays.stem}.{os.getpid()}.part.npz")
        np.savez(part, **result)
        part.replace(arrays)
    else:
        part = values.with_name(f"{values.stem}.{os.getpid()}.part.json")
        part.write_text(json.dumps(result, indent=1, allow_nan=False) + "\n")
        part.replace(values)


def silent(piece: str, share: float) -> None:
    """Tells nobody."""


@contextmanager
def progress(console: Console | None = None) -> Iterator[Told]:
    """One bar a piece of work on stderr; where that is no terminal, one line when a piece begins and one when it is done."""
    console = console or Console(stderr=True)
    if not console.is_terminal:
        yield _lines()
        return
    with Progress(console=console) as bars:
        tasks: dict[str, Any] = {}

        def told(piece: str, share: float) -> None:
            if piece not in tasks:
                tasks[piece] = bars.add_task(piece, total=1.0)
            bars.update(tasks[piece], completed=share)

        yield told


def _lines() -> Told:
    seen: dict[str, bool] = {}

    def told(piece: str, share: float) -> None:
        if piece not in seen or (share >= 1 and not seen[piece]):
            seen[piece] = share >= 1
            print(f"{piece}{': done' if share >= 1 else ''}", file=sys.stderr, flush=True)

    return told
