"""Which file of a folder is the newest that somebody has finished writing."""

import time
from collections.abc import Callable
from pathlib import Path

from riskd.errors import DataError

ENDINGS = (".csv", ".csv.gz", ".parquet")
SETTLED = 1.0  # seconds without a change; a writer that pauses longer must write under another name and rename
Stamp = tuple[Path, int, int]  # path, time of change in ns, size


def newest_file(path: Path, known: Stamp | None, pause: Callable[[float], None]) -> Path | None:
    """``path`` itself, or the newest price file in it by time of change; names that begin with a dot or ``~`` do not count.

    A file that changed within the last second is looked at again when it is that old; if it has changed meanwhile it is still
    being written, and in a folder the next newest counts; None if there is none. ``known``, a stamp, needs no second look.
    Raises OSError, and DataError for a folder without a price file.
    """
    candidates = [path] if not path.is_dir() else _price_files(path)
    if not candidates:
        raise DataError(f"{path}: no price file in this folder; drop one that ends in .csv, .csv.gz or .parquet")
    return next((candidate for candidate in candidates if _finished(candidate, known, pause)), None)


def _price_files(folder: Path) -> list[Path]:
    """Newest first; of two with the same time the later name."""
    found = [p for p in folder.iterdir() if p.name.endswith(ENDINGS) and p.name[0] not in ".~" and p.is_file()]
    return sorted(found, key=lambda p: (p.stat().st_mtime_ns, p.name), reverse=True)


def _finished(path: Path, known: Stamp | None, pause: Callable[[float], None]) -> bool:
    before = stamp_of(path)
    age = time.time() - before[1] / 1e9  # noqa: TID251 - files have the machine's time, whatever day is replayed
    if before == known or age >= SETTLED:
        return True
    pause(min(SETTLED - age, SETTLED))
    return path.exists() and stamp_of(path) == before


def stamp_of(path: Path) -> Stamp:
    """Which file, as last changed."""
    status = path.stat()
    return path, status.st_mtime_ns, status.st_size
