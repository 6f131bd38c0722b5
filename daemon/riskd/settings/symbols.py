"""What a symbol's name says of where it trades and in which currency, as Yahoo writes names; a section says it otherwise."""

import re
from collections.abc import Iterator
from typing import Annotated, NamedTuple

from pydantic import Field

from riskd.settings.section import Currency, Section

AMERICAN = "XNYS"
HUNDREDTHS = {("XLON", "GBP"): "GBp", ("XJSE", "ZAR"): "ZAc", ("XTAE", "ILS"): "ILA"}  # what is quoted in hundredths
CRYPTO = re.compile(r"[A-Z0-9]+-(USD|EUR|GBP|JPY|CHF|CAD|AUD)")
RATE = re.compile(r"([A-Z]{3})?([A-Z]{3})=X")  # without a first currency it is the dollar: JPY=X is yen for a dollar
# exchange, currency, the suffixes of Yahoo's names
LISTED = """
XETR EUR DE; XFRA EUR F; XDUS EUR DU; XHAM EUR HM; XSTU EUR SG; XPAR EUR PA; XAMS EUR AS; XBRU EUR BR; XLIS EUR LS;
XMIL EUR MI; XMAD EUR MC; XWBO EUR VI; XHEL EUR HE; XDUB EUR IR; ASEX EUR AT; XLON GBP L; XLON USD IL; XSWX CHF SW;
XSTO SEK ST; XCSE DKK CO; XOSL NOK OL; XICE ISK IC; XWAR PLN WA; XPRA CZK PR; XBUD HUF BD; XIST TRY IS; XTAE ILS TA;
XJSE ZAR JO; XTSE CAD TO V; BVMF BRL SA; XMEX MXN MX; XASX AUD AX; XNZE NZD NZ; XTKS JPY T; XHKG HKD HK; XSHG CNY SS SZ;
XKRX KRW KS KQ; XTAI TWD TW TWO; XSES SGD SI; XBOM INR BO NS; XKLS MYR KL; XBKK THB BK; XIDX IDR JK; FUTURES USD NYM CMX CBT CME
"""


class Symbol(Section):
    """One symbol, where its name does not say it or says it wrongly."""

    exchange: Annotated[str, Field(min_length=1)] | None = Field(
        default=None, description="XETR, XLON ..., or FX, CRYPTO, FUTURES; by the suffix of the name when absent"
    )
    currency: Currency | None = Field(default=None, description="of the price; by the suffix of the name when absent")
    unit: Annotated[str, Field(pattern="^[A-Za-z]{3}$")] | None = Field(
        default=None, description="what the source calls it: GBp for pence. A source that says otherwise changed the unit"
    )
    lot: Annotated[float, Field(gt=0)] | None = Field(
        default=None, description="shares of the smallest order; fractions of a share when absent"
    )


class Listing(NamedTuple):
    """None where the name says nothing."""

    exchange: str | None
    currency: str | None


def _suffixes() -> Iterator[tuple[str, Listing]]:
    for row in LISTED.split(";"):
        exchange, currency, *suffixes = row.split()
        yield from ((suffix, Listing(exchange, currency)) for suffix in suffixes)


SUFFIXES = dict(_suffixes())


def listing(symbol: str) -> Listing:
    """What the name says."""
    if rate := RATE.fullmatch(symbol):
        return Listing("FX", rate[2])
    if coin := CRYPTO.fullmatch(symbol):
        return Listing("CRYPTO", coin[1])
    if symbol.endswith("=F"):
        return Listing("FUTURES", "USD")
    return SUFFIXES.get(symbol.rpartition(".")[2] if "." in symbol else "", Listing(None, None))


def pair(symbol: str) -> tuple[str, str] | None:
    """(of one, in the other) if the name is that of an exchange rate: EURUSD=X is dollars for a euro."""
    rate = RATE.fullmatch(symbol)
    return (rate[1] or "USD", rate[2]) if rate else None
