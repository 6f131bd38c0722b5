"""Writes the demo's price file, the same bytes every time."""

import gzip
from importlib.metadata import distribution
from pathlib import Path

import pandas as pd
from skfolio.datasets import load_sp500_dataset, load_sp500_index

FILE_NAME = "us-stocks-1990-2022.csv.gz"
LICENCE_NAME = "LICENSE-skfolio.txt"


def demo_prices() -> pd.DataFrame:
    """Adjusted closes of 20 US stocks and the S&P 500 index; index ``date``, one column a symbol, no gaps.

    Raises ValueError if the package ever ships other sessions for the index than for the stocks, or a missing price.
    """
    prices: pd.DataFrame = load_sp500_dataset().join(load_sp500_index(), how="outer")
    if prices.isna().any(axis=None) or not (prices > 0).all(axis=None):
        raise ValueError("skfolio's stocks and index do not share every session: a price is missing or not positive")
    return prices.rename_axis(index="date")


def price_file(prices: pd.DataFrame) -> bytes:
    """The table as gzipped CSV without a time stamp or file name in the header."""
    text = prices.to_csv(date_format="%Y-%m-%d", lineterminator="\n")
    return gzip.compress(text.encode(), compresslevel=9, mtime=0)


def skfolio_licence() -> str:
    """The licence that the prices are passed on under, as the installed package states it."""
    text = distribution("skfolio").read_text("licenses/LICENSE")
    if text is None:
        raise ValueError("the installed skfolio carries no licenses/LICENSE: its prices may not be passed on")
    return text.rstrip() + "\n"


def write_demo_prices(folder: Path) -> Path:
    """Write the prices and their licence into ``folder`` and return the price file's path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / FILE_NAME
    path.write_bytes(price_file(demo_prices()))
    (folder / LICENCE_NAME).write_text(skfolio_licence())
    return path
