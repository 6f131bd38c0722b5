"""Alerts that a test commits, one at a time, as a step of the fold does."""

from datetime import date, timedelta

import numpy as np

from riskd.core.alerts import alert_event
from riskd.core.arrays import frozen
from riskd.core.events import AlertKind, Outcome, SessionVoid
from riskd.core.forecaster import MarketState
from riskd.core.state import State
from riskd.store.ledger import Ledger


def commit_alert(ledger: Ledger, number: int) -> str:
    """A breach of portfolio ``main``; its id."""
    session, nothing = date(2024, 1, 1) + timedelta(days=number), frozen([])
    state = State("alerts", session, number, (), (), MarketState({}), nothing, nothing, nothing, np.zeros(0, np.int32))
    alert = alert_event(AlertKind.BREACH_OPENED, "main", "cvar", session, f"alert {number}", {"number": number})
    ledger.commit(SessionVoid(session, "test"), state, Outcome(session, alerts=(alert,)), ())
    return alert.id
