"""Folds the journal again and compares: every line must come out with the same bytes."""

from dataclasses import dataclass

from riskd.app.kit import load_forecaster, rules_of, store_beside
from riskd.core.canonical import canonical_json
from riskd.core.state import pack
from riskd.core.step import step
from riskd.errors import ConfigError, RiskdError
from riskd.settings import Settings
from riskd.store.ledger import Ledger, sha256


class DifferenceError(RiskdError):
    """A line of the journal does not come out the same."""


@dataclass(frozen=True, slots=True)
class Verified:
    """``lines`` came out the same; ``head`` is the hash of the last one, empty without any."""

    lines: int
    head: str


def verify(settings: Settings) -> Verified:
    """What was verified; raises DifferenceError that names the first differing line, ConfigError when there is no journal."""
    database = store_beside(settings)
    try:
        ledger = Ledger(database)
        state = ledger.origin()
        if state is None:
            raise ConfigError(f"service.state: {settings.service.state} holds no journal yet; run the daemon first")
        rules = rules_of(settings, load_forecaster(settings))
        if state.basis != rules.basis:
            raise ConfigError("the journal was written with other symbols or another model; replay it with that configuration")
        lines = ledger.lines()
        for line in lines:
            state, outcome = step(rules, state, line.event)
            if canonical_json(outcome) != line.outcome:
                raise DifferenceError(f"{line.key}: the outcome differs from the journal's")
            if sha256(pack(state)) != line.state_sha256:
                raise DifferenceError(f"{line.key}: the state differs from the journal's")
        broken = ledger.broken()
        if broken is not None:
            raise DifferenceError(f"{broken}: the hash chain is broken here: this line or the one before was changed")
        return Verified(len(lines), lines[-1].chain if lines else "")
    finally:
        database.close()
