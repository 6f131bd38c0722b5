"""A file of rows and columns, CSV or Parquet, read once and asked column by column."""

import csv
import gzip
import math
import zlib
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from riskd.core.arrays import Floats
from riskd.errors import DataError
from riskd.feeds.session_dates import session_dates


class Table(Protocol):
    """Columns under the names they have in the file. Every method raises DataError that names file, row, column and value."""

    names: tuple[str, ...]

    def __len__(self) -> int: ...

    def place(self, row: int) -> str:
        """File and position of row ``row``, as an editor shows it."""
        ...

    def dates(self, name: str, date_format: str | None) -> list[date]: ...

    def texts(self, name: str) -> list[str]: ...

    def numbers(self, name: str, rows: Sequence[int]) -> Floats:
        """The numbers of some rows; NaN where the cell says that there is none."""
        ...


def read_table(path: Path, missing: frozenset[str], delimiter: str | None = None) -> Table:
    """The table in a ``.csv``, ``.csv.gz`` or ``.parquet`` file; ``missing`` are the texts that stand for no number."""
    table: Table
    try:
        if path.suffix == ".parquet":
            table = ParquetTable(path, pq.ParquetFile(path).read())
        elif path.name.endswith((".csv", ".csv.gz")):
            table = CsvTable(path, missing, delimiter)
        else:
            raise DataError(f"{path}: ends in {path.suffix!r}; riskd reads .csv, .csv.gz and .parquet")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from None
    except (OSError, EOFError, zlib.error, csv.Error, pa.ArrowException) as error:
        raise DataError(f"{path}: cannot be read: {_first_line(error)}; write the file anew") from None
    _check_shape(path, table)
    return table


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _check_shape(path: Path, table: Table) -> None:
    twice = next((n for i, n in enumerate(table.names) if n in table.names[:i]), None)
    if twice is not None:
        raise DataError(f"{path}: column {twice!r} appears twice; keep one of them")
    if len(table) == 0:
        raise DataError(f"{path}: has no rows; check that it was written whole")


class CsvTable:
    """Cells are kept as text until asked for, so that an error can show what stands in the file."""

    def __init__(self, path: Path, missing: frozenset[str], delimiter: str | None) -> None:
        self._path, self._missing = path, missing
        opener = gzip.open if path.suffix == ".gz" else open
        with opener(path, "rt", encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            reader = csv.reader([header], delimiter=delimiter or max(",;\t|", key=header.count))
            self.names = tuple(cell.strip() for cell in next(reader, []))
            self._lines, cells = self._rows(csv.reader(file, reader.dialect))
        self._columns = dict(zip(self.names, zip(*cells, strict=True), strict=False))

    def _rows(self, reader: Any) -> tuple[list[int], list[list[str]]]:
        lines, cells = [], []
        for row in reader:
            line = reader.line_num + 1  # the header was read before the reader began to count
            if not any(row):
                continue
            if len(row) != len(self.names):
                raise DataError(f"{self._path} line {line}: has {len(row)} cells, the header {len(self.names)}; complete it")
            lines.append(line)
            cells.append(row)
        return lines, cells

    def __len__(self) -> int:
        return len(self._lines)

    def place(self, row: int) -> str:
        return f"{self._path} line {self._lines[row]}"

    def texts(self, name: str) -> list[str]:
        return list(self._columns[name])

    def dates(self, name: str, date_format: str | None) -> list[date]:
        return session_dates(self._columns[name], date_format, self.place)

    def numbers(self, name: str, rows: Sequence[int]) -> Floats:
        column = self._columns[name]
        return np.array([self._number(name, row, column[row].strip()) for row in rows], dtype=np.float64)

    def _number(self, name: str, row: int, text: str) -> float:
        if text in self._missing:
            return math.nan
        try:
            return float(text)
        except ValueError:
            raise DataError(f"{self.place(row)}, column {name}: {text!r} is no number; correct it or leave it empty") from None


class ParquetTable:
    """Typed columns; row numbers start at 1."""

    def __init__(self, path: Path, table: Any) -> None:
        self._path, self._table = path, table
        self.names = tuple(str(name) for name in table.column_names)

    def __len__(self) -> int:
        return int(self._table.num_rows)

    def place(self, row: int) -> str:
        return f"{self._path} row {row + 1}"

    def texts(self, name: str) -> list[str]:
        return ["" if text is None else str(text) for text in self._column(name).to_pylist()]

    def dates(self, name: str, date_format: str | None) -> list[date]:
        column = self._column(name)
        kind = column.type
        if column.null_count:
            row = pc.index(pc.is_null(column), True).as_py()
            raise DataError(f"{self.place(row)}, column {name}: has no date")
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            return session_dates(self.texts(name), date_format, self.place)
        if pa.types.is_timestamp(kind):
            return self._midnights(name, column)
        if pa.types.is_date(kind):
            return list(column.cast(pa.date32()).to_pylist())
        raise DataError(f"{self._path}, column {name}: has type {kind}; a session date is a date, a timestamp or text")

    def _midnights(self, name: str, column: Any) -> list[date]:
        if column.type.tz is not None:
            zone = column.type.tz
            raise DataError(f"{self._path}, column {name}: carries the time zone {zone}; write the exchange's own session date")
        days = column.cast(pa.date32(), safe=False)
        intraday = pc.not_equal(days.cast(column.type), column)
        if pc.any(intraday).as_py():
            row = pc.index(intraday, True).as_py()
            raise DataError(f"{self.place(row)}, column {name}: {column[row].as_py()} carries a time of day; one row per session")
        return list(days.to_pylist())

    def numbers(self, name: str, rows: Sequence[int]) -> Floats:
        column = self._column(name)
        if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
            raise DataError(f"{self._path}, column {name}: has type {column.type}; a price is a number")
        values: Floats = column.cast(pa.float64()).to_numpy()
        return values[np.asarray(rows, dtype=np.intp)]

    def _column(self, name: str) -> Any:
        column = self._table.column(name)
        return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
