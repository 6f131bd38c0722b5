"""Which exchange rates a configuration needs, and the symbols whose prices they are."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from riskd.settings.symbols import pair

FIRST = ("EUR", "GBP", "AUD", "NZD", "USD", "CAD", "CHF")  # markets quote the earlier of two in the later


class Rate(NamedTuple):
    """``sign`` +1: the symbol's price is so much of the second currency for one of the first; -1: the other way round."""

    symbol: str
    sign: int


def rate(source: str, target: str, rates: Mapping[str, str], symbols: Iterable[str], yahoo: bool) -> Rate | None:
    """The rate from ``source`` to ``target``: as ``rates`` says, else one of ``symbols`` by its name, else Yahoo's.

    None where there is none.
    """
    known = {(key[:3], key[3:]): symbol for key, symbol in rates.items()}
    known = {p: s for s in symbols if (p := pair(s))} | known
    for sign, wanted in ((1, (source, target)), (-1, (target, source))):
        if wanted in known:
            return Rate(known[wanted], sign)
    if not yahoo:
        return None
    one, other = sorted((source, target), key=_rank)
    return Rate(f"{one}{other}=X", 1 if one == source else -1)


def _rank(currency: str) -> tuple[int, str]:
    return (FIRST.index(currency) if currency in FIRST else len(FIRST), currency)
