"""The whole configuration file, and what its parts mean for each other."""

import math
import re
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from riskd.settings.feeds import Feed, ReplayFeed, YahooFeed
from riskd.settings.hooks import Alertmanager, Webhook
from riskd.settings.portfolios import Limits, Portfolio
from riskd.settings.rates import Rate, rate
from riskd.settings.section import Section, distinct
from riskd.settings.sections import Allocation, Allocator, Data, Model, Mqtt, Service, Web
from riskd.settings.symbols import AMERICAN, HUNDREDTHS, Symbol, listing
from riskd.settings.systems import Rival, Scenarios

UNSAID = Symbol()
PAIR = re.compile(r"[A-Z]{6}")


class Settings(Section):
    """The whole file."""

    service: Service = Service()
    feeds: Annotated[tuple[Feed, ...], Field(min_length=1)] = Field(
        description="asked in this order; the next is asked for what one does not have"
    )
    data: Data = Data()
    listings: dict[str, Symbol] = Field(
        default_factory=dict, alias="symbols", description="symbol -> what its name does not say, or says wrongly"
    )
    rates: dict[str, str] = Field(
        default_factory=dict, description='EURUSD = "its symbol": dollars for a euro; by the name EURUSD=X when absent'
    )
    model: Model = Model()
    rivals: tuple[Rival, ...] = Field(default=(), description="systems that run beside the champion, each on its own forecasts")
    scenarios: Scenarios = Scenarios()
    allocation: Allocation = Allocation()
    allocators: tuple[Allocator, ...] = Field(
        default=(), description="other ways to choose weights, whose answers stand beside a proposal and never in its place"
    )
    limits: Limits = Limits()
    universe: tuple[str, ...] = Field(default=(), description="symbols beside the held ones, which a proposal may buy")
    portfolios: Annotated[tuple[Portfolio, ...], Field(min_length=1)]
    mqtt: Mqtt | None = None
    webhook: Webhook | None = None
    alertmanager: Alertmanager | None = None
    web: Web | None = Web()

    @field_validator("rates")
    @classmethod
    def _pairs(cls, value: dict[str, str]) -> dict[str, str]:
        for key in value:
            if not PAIR.fullmatch(key) or key[:3] == key[3:]:
                raise ValueError(f"{key} is no pair of currencies; EURUSD means dollars for a euro")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        distinct([p.name for p in self.portfolios], "portfolio")
        distinct([r.name for r in self.rivals], "rival")
        distinct([a.name for a in self.allocators], "allocator")
        if not self.tradeable:
            raise ValueError('no symbol anywhere: weights = "equal" needs universe = ["...", "..."]')
        for portfolio in self.portfolios:
            for limit in portfolio.limits:
                if limit.horizon not in self.scenarios.horizons or limit.level not in self.scenarios.levels:
                    raise ValueError(
                        f"limit {limit.name} of portfolio {portfolio.name}: add horizon {limit.horizon} to scenarios.horizons "
                        f"and level {limit.level} to scenarios.levels"
                    )
        for portfolio in self.portfolios:
            strange = sorted(portfolio.named - set(self.tradeable))
            if strange:
                raise ValueError(
                    f"portfolio {portfolio.name} bounds {strange[0]}, which is neither held nor in the universe; "
                    "take it out or mend the name"
                )
        unused = sorted(set(self.listings) - set(self.symbols))
        if unused:
            raise ValueError(f"symbols.{unused[0]}: neither held nor in the universe; take it out or mend the name")
        return self

    @property
    def tradeable(self) -> tuple[str, ...]:
        """Every symbol that is held or may be bought, sorted."""
        held = {s for p in self.portfolios if isinstance(p.weights, dict) for s in p.weights}
        return tuple(sorted(held | set(self.universe)))

    @property
    def symbols(self) -> tuple[str, ...]:
        """Every symbol that prices are needed of, sorted: the tradeable ones and the exchange rates they need."""
        return tuple(sorted({*self.tradeable, *(r.symbol for r in self.rates_needed.values())}))

    @property
    def rates_needed(self) -> dict[tuple[str, str], Rate]:
        """(currency of a tradeable symbol, currency of a portfolio) -> the rate between them, where they differ.

        Raises ValueError that names portfolio, symbol and pair where there is none.
        """
        needed: dict[tuple[str, str], Rate] = {}
        for portfolio in self.portfolios:
            for symbol in self.tradeable:
                foreign = self.currency(symbol), portfolio.currency
                if foreign[0] != foreign[1] and foreign not in needed:
                    found = rate(*foreign, self.rates, self.tradeable, self.live)
                    if found is None:
                        raise ValueError(_without_rate(portfolio.name, symbol, *foreign))
                    needed[foreign] = found
        return needed

    def currency(self, symbol: str) -> str:
        """What the symbol's price is counted in, pence and the like as the whole currency."""
        return self._said(symbol).currency or self._of_rates.get(symbol) or listing(symbol).currency or self.data.currency

    def exchange(self, symbol: str) -> str:
        """The name of the venue whose sessions the symbol has: the file's word, else its name's, else the joint one's.

        A plain name is American where Yahoo is asked. With the calendar "prices" names say nothing.
        """
        if said := self._said(symbol).exchange:
            return said
        if self.service.calendar == "prices":
            return "prices"
        plain = AMERICAN if self.live else self.service.calendar
        return "FX" if symbol in self._of_rates else listing(symbol).exchange or plain

    def unit(self, symbol: str) -> str:
        """What the source should call the price's currency: GBp in London."""
        exchange, currency = self.exchange(symbol), self.currency(symbol)
        return self._said(symbol).unit or HUNDREDTHS.get((exchange, currency), currency)

    def lots(self) -> dict[str, float]:
        """Shares of the smallest order of every symbol that has one."""
        return {symbol: said.lot for symbol, said in sorted(self.listings.items()) if said.lot is not None}

    def units(self) -> dict[str, float]:
        """What one of a told price is in its symbol's currency: 0.01 for pence; NaN where nobody knows the unit."""
        known = {unit: (currency, 0.01) for (_, currency), unit in HUNDREDTHS.items()}
        found = {s: (self.unit(s), self.currency(s)) for s in self.symbols}
        worth = {s: (currency, 1.0) if unit == currency else known.get(unit, ("", 1.0)) for s, (unit, currency) in found.items()}
        return {s: scale if worth_of == found[s][1] else math.nan for s, (worth_of, scale) in worth.items()}

    @property
    def live(self) -> bool:
        """Whether prices come from somewhere that may answer later, not from files alone."""
        return any(isinstance(f, YahooFeed) for f in self.feeds)

    @property
    def replay(self) -> ReplayFeed | None:
        """The replay feed, if this configuration replays the past."""
        return next((f for f in self.feeds if isinstance(f, ReplayFeed)), None)

    @property
    def _of_rates(self) -> dict[str, str]:
        """Symbol of a configured rate -> the currency it is counted in."""
        return {symbol: key[3:] for key, symbol in self.rates.items()}

    def _said(self, symbol: str) -> Symbol:
        return self.listings.get(symbol, UNSAID)


def _without_rate(portfolio: str, symbol: str, source: str, target: str) -> str:
    return (
        f"portfolio {portfolio} counts in {target}, {symbol} is priced in {source} and there is no rate; "
        f'add [rates] {source}{target} = "its symbol", or [symbols."{symbol}"] currency = "{target}"'
    )
