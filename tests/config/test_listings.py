"""Where a symbol trades and in which currency: by its name, by the file, and the rates that follow."""

import math
from pathlib import Path
from typing import Any

import pytest

from riskd.settings import Settings

pytestmark = pytest.mark.config
YAHOO = {"type": "yahoo"}
FILES = {"type": "files", "path": "prices.csv"}


def settings(universe: list[str], feed: dict[str, str] = YAHOO, currency: str = "USD", **more: Any) -> Settings:
    limit = {"name": "cvar", "max_cvar": 0.05}
    book = {"name": "book", "weights": "equal", "currency": currency, "limits": (limit,)}
    typed = {**feed, "path": Path(feed["path"])} if "path" in feed else feed
    return Settings.model_validate({"universe": tuple(universe), "feeds": (typed,), "portfolios": (book,), **more})


@pytest.mark.parametrize(
    ("symbol", "exchange", "currency", "unit"),
    [
        ("SPY", "XNYS", "USD", "USD"),
        ("BRK-B", "XNYS", "USD", "USD"),
        ("^GSPC", "XNYS", "USD", "USD"),
        ("SAP.DE", "XETR", "EUR", "EUR"),
        ("VOD.L", "XLON", "GBP", "GBp"),
        ("HSBK.IL", "XLON", "USD", "USD"),
        ("SSW.JO", "XJSE", "ZAR", "ZAc"),
        ("7203.T", "XTKS", "JPY", "JPY"),
        ("VOLV-B.ST", "XSTO", "SEK", "SEK"),
        ("RY.TO", "XTSE", "CAD", "CAD"),
        ("EURUSD=X", "FX", "USD", "USD"),
        ("JPY=X", "FX", "JPY", "JPY"),
        ("BTC-EUR", "CRYPTO", "EUR", "EUR"),
        ("CL=F", "FUTURES", "USD", "USD"),
        ("CLZ26.NYM", "FUTURES", "USD", "USD"),
    ],
)
def test_what_a_name_says(symbol: str, exchange: str, currency: str, unit: str) -> None:
    """Names as Yahoo writes them."""
    said = settings(["SPY", symbol])
    assert (said.exchange(symbol), said.currency(symbol), said.unit(symbol)) == (exchange, currency, unit)


def test_the_file_says_it_otherwise() -> None:
    """A London fund priced in dollars is no longer in pence, and needs no rate."""
    said = settings(["SPY", "VUSD.L"], symbols={"VUSD.L": {"currency": "USD"}})
    assert (said.exchange("VUSD.L"), said.currency("VUSD.L"), said.unit("VUSD.L")) == ("XLON", "USD", "USD")
    assert said.rates_needed == {}
    pounds = settings(["VOD.L"], currency="GBP", symbols={"VOD.L": {"unit": "GBP", "exchange": "XETR"}})
    assert (pounds.exchange("VOD.L"), pounds.unit("VOD.L")) == ("XETR", "GBP")


def test_what_one_of_a_price_is_worth() -> None:
    """Pence are hundredths of pounds; a unit that nobody knows is worth nobody knows what."""
    said = settings(["SPY", "VOD.L", "BP.L"], currency="GBP", symbols={"BP.L": {"unit": "XYZ"}, "SPY": {"lot": 10.0}})
    worth = said.units()
    assert (worth["SPY"], worth["VOD.L"]) == (1.0, 0.01)
    assert math.isnan(worth["BP.L"])
    assert said.lots() == {"SPY": 10.0}


def test_plain_names() -> None:
    """American where Yahoo is asked, whatever the joint calendar; of the joint calendar in files; "prices" heeds no name."""
    xetra = {"calendar": "XETR"}
    assert settings(["SPY"], service=xetra).exchange("SPY") == "XNYS"
    assert settings(["SPY"], feed=FILES, service=xetra).exchange("SPY") == "XETR"
    assert settings(["BTC-USD"], feed=FILES, service={"calendar": "prices"}).exchange("BTC-USD") == "prices"
    euros = settings(["AAA"], feed=FILES, currency="EUR", data={"currency": "EUR"})
    assert euros.currency("AAA") == "EUR"
    assert euros.symbols == ("AAA",)


def test_rates_come_with_their_direction() -> None:
    """Yahoo's symbol is the one the market quotes, turned round where the portfolio needs it the other way."""
    seen = settings(["SAP.DE", "SPY", "VOD.L", "7203.T"], currency="EUR")
    assert seen.rates_needed == {
        ("USD", "EUR"): ("EURUSD=X", -1),
        ("GBP", "EUR"): ("EURGBP=X", -1),
        ("JPY", "EUR"): ("EURJPY=X", -1),
    }
    assert seen.symbols == ("7203.T", "EURGBP=X", "EURJPY=X", "EURUSD=X", "SAP.DE", "SPY", "VOD.L")
    assert seen.tradeable == ("7203.T", "SAP.DE", "SPY", "VOD.L")
    assert settings(["SAP.DE"]).rates_needed == {("EUR", "USD"): ("EURUSD=X", 1)}


def test_a_rate_in_the_universe_is_used() -> None:
    """JPY=X is yen for a dollar: it serves a portfolio in dollars turned round, and no second symbol is asked."""
    seen = settings(["7203.T", "JPY=X"])
    assert seen.rates_needed == {("JPY", "USD"): ("JPY=X", -1)}
    assert seen.symbols == ("7203.T", "JPY=X")


def test_a_configured_rate() -> None:
    """Its direction is its key's; it trades as currencies do and is counted in the second currency."""
    seen = settings(["SPY"], feed=FILES, currency="EUR", rates={"EURUSD": "ECB"})
    assert seen.rates_needed == {("USD", "EUR"): ("ECB", -1)}
    assert (seen.exchange("ECB"), seen.currency("ECB")) == ("FX", "USD")
    turned = settings(["SPY"], feed=FILES, currency="EUR", rates={"USDEUR": "ECB"})
    assert turned.rates_needed == {("USD", "EUR"): ("ECB", 1)}


def test_two_bases_share_a_rate() -> None:
    """A book in dollars and one in euros over the same universe need one symbol, in both directions."""
    book = {"weights": "equal", "limits": ({"name": "cvar", "max_cvar": 0.05},)}
    books = ({**book, "name": "usd"}, {**book, "name": "eur", "currency": "EUR"})
    seen = Settings.model_validate({"universe": ("SAP.DE", "SPY"), "feeds": (YAHOO,), "portfolios": books})
    assert seen.rates_needed == {("EUR", "USD"): ("EURUSD=X", 1), ("USD", "EUR"): ("EURUSD=X", -1)}
    assert seen.symbols == ("EURUSD=X", "SAP.DE", "SPY")
