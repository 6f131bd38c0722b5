"""Trades in words.

    trades  = trade { [","|";"|"and"|"then"] trade }
    trade   = "sell" amount SYMBOL
            | "buy" [amount] SYMBOL                         without an amount: for what was sold before it
            | "rotate" amount SYMBOL ("->"|"to"|"into") SYMBOL
    amount  = NUMBER "%"            of the portfolio's value
            | NUMBER CURRENCY       such as 10000 USD
            | NUMBER "shares"
            | "all" | "half"        of what is held; sales only

Verbs and small words in any case; symbols as they are configured, or in another case where that is no other symbol.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from riskd.core.what_if.question import QuestionError, meant

LONGEST = 2000  # characters
MOST = 100  # trades
NUMBER = re.compile(r"(\d{1,3}(?:,\d{3})+|\d+(?:_\d+)*)?(\.\d+)?")
WORD = re.compile(r"->|→|[,;](?!\d)|(?:(?!->|→)[^\s,;%]|(?<=\d),(?=\d))+|%")
JOINS = {",", ";", "and", "then"}
VERBS = {"sell", "buy", "rotate"}
TOWARDS = {"->", "→", "to", "into"}
CURRENCY = re.compile(r"[A-Z]{3}")
HOW_MUCH = "2%, 10000 USD, 50 shares, half or all"


class Unit(StrEnum):
    """What an amount counts."""

    VALUE = "of value"  # a fraction of the portfolio's
    MONEY = "money"  # in ``currency``
    SHARES = "shares"
    HELD = "of what is held"  # a fraction
    PROCEEDS = "proceeds"  # everything sold before and not spent yet
    SAME = "same"  # the value of the trade just before


@dataclass(frozen=True, slots=True)
class Amount:
    """So much, at character ``at`` of the text."""

    number: float
    unit: Unit
    at: int
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Trade:
    """One order; ``sign`` is -1 for a sale."""

    sign: int
    amount: Amount
    symbol: str
    at: int


def trades(text: str, symbols: tuple[str, ...]) -> tuple[Trade, ...]:
    """The orders in ``text``, in its order. Raises QuestionError that names the word it stumbled over, and where it stands."""
    if len(text) > LONGEST:
        raise QuestionError(f"trades: {len(text)} characters, {LONGEST} are allowed; give weights instead")
    found = _Reader(text, symbols).all()
    if len(found) > MOST:
        raise QuestionError(f"trades: {len(found)} orders, {MOST} are allowed; give weights instead")
    return found


class _Reader:
    """Words from left to right."""

    def __init__(self, text: str, symbols: tuple[str, ...]) -> None:
        self._words = [(match.group(), match.start()) for match in WORD.finditer(text)]
        self._end, self._place, self._symbols = len(text), 0, symbols
        self._folded: dict[str, list[str]] = {}
        for symbol in symbols:
            self._folded.setdefault(symbol.casefold(), []).append(symbol)

    def all(self) -> tuple[Trade, ...]:
        found: list[Trade] = []
        while self._place < len(self._words):
            if self._low() in JOINS and found:
                self._place += 1
                continue
            found += self._trade()
        return tuple(found)

    def _trade(self) -> list[Trade]:
        verb = self._low()
        if verb not in VERBS:
            raise self._stumbled("begin with sell, buy or rotate")
        self._place += 1
        if verb == "buy":
            return [self._order(1, self._bought())]
        sold = self._order(-1, self._amount(verb))
        if verb == "sell":
            return [sold]
        if self._low() not in TOWARDS:
            raise self._stumbled(f"say into what: rotate 5% {sold.symbol} -> GLD")
        self._place += 1
        return [sold, self._order(1, Amount(1.0, Unit.SAME, self._at()))]

    def _bought(self) -> Amount:
        if self._number():
            return self._amount("buy")
        if self._low() in ("all", "half") and self._word() not in self._symbols:
            raise self._stumbled("all and half are of what is held; to spend what was sold say only buy and the symbol")
        return Amount(1.0, Unit.PROCEEDS, self._at())

    def _order(self, sign: int, amount: Amount) -> Trade:
        at = self._at()
        return Trade(sign, amount, self._symbol(), at)

    def _amount(self, verb: str) -> Amount:
        at, word = self._at(), self._low()
        if word in ("all", "half") and not self._number():
            self._place += 1
            return Amount(1.0 if word == "all" else 0.5, Unit.HELD, at)
        if not self._number():
            raise self._stumbled(f"say how much to {verb}: {HOW_MUCH}")
        number = self._read_number()
        unit, currency = self._unit()
        self._place += 1
        if self._low() == "of":
            raise self._stumbled("a percentage is of the portfolio's value; leave it out, or say half or all")
        return Amount(number / 100 if unit is Unit.VALUE else number, unit, at, currency)

    def _unit(self) -> tuple[Unit, str]:
        word = self._word()
        if word == "%":
            return Unit.VALUE, ""
        if word.lower() in ("share", "shares"):
            return Unit.SHARES, ""
        if CURRENCY.fullmatch(word.upper()) and self._place + 1 < len(self._words) and not self._ends(self._place + 1):
            return Unit.MONEY, word.upper()
        raise self._stumbled("an amount needs %, a currency or shares")

    def _ends(self, place: int) -> bool:
        word = self._words[place][0]
        return word.lower() in JOINS | TOWARDS | VERBS and word not in self._symbols

    def _read_number(self) -> float:
        number = float(self._word().replace(",", "").replace("_", ""))
        if not 0 < number < 1e15:
            raise self._stumbled("give an amount above zero")
        self._place += 1
        return number

    def _number(self) -> bool:
        word = self._word()
        return bool(word) and NUMBER.fullmatch(word) is not None and word not in self._symbols

    def _symbol(self) -> str:
        word = self._word()
        if not word or self._low() in JOINS:
            raise self._stumbled("a symbol is missing here")
        same = [word] if word in self._symbols else self._folded.get(word.casefold(), [])
        if len(same) != 1:
            known = f"is one of {', '.join(same)}" if same else f"is not in the universe{meant(word, self._symbols)}"
            raise self._stumbled(known)
        self._place += 1
        return same[0]

    def _word(self) -> str:
        return self._words[self._place][0] if self._place < len(self._words) else ""

    def _low(self) -> str:
        return self._word().lower()

    def _at(self) -> int:
        return self._words[self._place][1] if self._place < len(self._words) else self._end

    def _stumbled(self, why: str) -> QuestionError:
        word = self._word()
        said = f"{word[:40]!r} at character {self._at() + 1}" if word else "at the end"
        return QuestionError(f"trades: {said}: {why}")
