"""Where prices come from; the order in the file is the order in which feeds are asked."""

from datetime import date
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from riskd.settings.section import Section


class FilesFeed(Section):
    """Prices from CSV or Parquet, wide (date + a column per symbol) or long (date, symbol, close ...)."""

    type: Literal["files"]
    path: Path = Field(description="a file, or a folder that such files are dropped into")
    price: str | None = Field(default=None, description="long files: the price column; close with dividends, adj_close, close")
    symbol: str | None = Field(default=None, description="the one symbol of a file without a symbol column")
    date_column: str | None = None
    symbol_column: str | None = None
    date_format: str | None = Field(default=None, description='such as "%m/%d/%Y"; told from the file when absent')
    delimiter: str | None = None
    aliases: dict[str, str] = Field(default_factory=dict, description="riskd's symbol -> the file's")


class ReplayFeed(FilesFeed):
    """A price file replayed as if its sessions closed now, ``speed`` a second, from ``first`` to ``last``."""

    type: Literal["replay"]  # type: ignore[assignment]
    first: date
    last: date
    speed: Annotated[float, Field(gt=0)] = 2.0

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.last < self.first:
            raise ValueError(f"last {self.last} is before first {self.first}")
        return self


class YahooFeed(Section):
    """Daily closes from Yahoo Finance through yfinance."""

    type: Literal["yahoo"]
    timeout_seconds: Annotated[float, Field(gt=0, le=120)] = Field(default=20.0, description="for one request")


Feed = Annotated[FilesFeed | ReplayFeed | YahooFeed, Field(discriminator="type")]
