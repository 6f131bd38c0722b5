"""Holds riskd to its invariants by what it published alone: reads JSON, imports nothing of riskd, judges everything anew.

Green is a conjunction of proofs; a breach is told before anything else is done about it, and closed only when that was earned;
no figure without its provenance; nothing carried, nothing clipped. A broken promise is a :class:`Broken` that names it.
"""

import json
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Key = tuple[str, str]  # portfolio, limit
LOOKS_LIKE = 1.5  # champion against challengers
NEAR = 0.9  # of a limit
CERTAIN = 0.9  # probability from which a breach is one
MOST = 4  # messages of a limit in a session
SLACK = 1e-6
SLOW = "historical"
PROVENANCE = ("model", "scenarios", "bank", "prices", "rules", "paths", "version")


class Broken(AssertionError):
    """An invariant does not hold."""


@dataclass(frozen=True)
class Terms:
    """A limit as configured, and by which model it is judged."""

    max_cvar: float
    clear_below: float
    clear_after: int
    model: str

    @property
    def level(self) -> float:
        return self.clear_below * self.max_cvar


@dataclass(frozen=True)
class Facts:
    """What the world knows of a commit and riskd was not asked: its kind, whose price could not be used, what limits say."""

    kind: str  # session, prices, void, feed, word, allocation
    session: str
    terms: dict[Key, Terms]
    holdings: dict[str, dict[str, float]]
    unusable: frozenset[str] = frozenset()
    blind: bool = False  # the model may fail on what it was given


def want(claim: object, words: str) -> None:
    """Raise Broken unless ``claim``."""
    if not claim:
        raise Broken(words)


def normal(x: float) -> float:
    """P(Z <= x)."""
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))


def finite(x: object) -> bool:
    return isinstance(x, float | int) and math.isfinite(x)


def median(found: list[float]) -> float:
    found = sorted(found)
    half = len(found) // 2
    return found[half] if len(found) % 2 else (found[half - 1] + found[half]) / 2


def apart(figure: Json) -> float:
    """How far champion and challengers are from each other; infinite when either is missing."""
    rivals = {c["name"]: c["cvar"] for c in figure["challengers"] if finite(c["cvar"])}
    quick = [v for name, v in rivals.items() if name != SLOW] or list(rivals.values())
    if not quick or not finite(figure["cvar"]) or figure["cvar"] <= 0 or median(quick) <= 0:
        return math.inf
    return max(figure["cvar"] / median(quick), median(quick) / figure["cvar"])


def check_green(report: Json) -> None:
    """I1: OK means every proof; and what burns is never any other colour."""
    states = {m["state"] for m in report["limits"]}
    want((report["status"] == "BREACH") == bool(states & {"firing", "clearing"}), f"I1 {report['status']} with limits {states}")
    if report["status"] in ("OK", "WARN"):
        want(report["figures"], "I1 a colour without a figure")
        want(report["grade"] in "AB", f"I1 {report['status']} of grade {report['grade']}")
        want("cannot-judge" not in states, f"I1 {report['status']} and a limit cannot be judged")
        judged = {(m["level"], m["horizon"]) for m in report["limits"]}
        for f in report["figures"]:
            want(finite(f["var"]) and finite(f["cvar"]), f"I1 {report['status']} with a figure that is not finite")
            on = not judged or (f["level"], f["horizon"]) in judged
            want(not on or apart(f) <= LOOKS_LIKE * (1 + SLACK), f"I1 {report['status']} although challengers differ")
    if report["status"] == "OK":
        want(report["grade"] == "A" and report["coverage"] == 1.0, "I1 green on doubtful prices")
        want(not [d for d in report["doubts"] if d["session"] == report["session"]], "I1 green with a doubt about today")
        for m in report["limits"]:
            want(m["state"] == "clear" and m["cvar"] < NEAR * m["max_cvar"], "I1 green near or over a limit")


def check_figures(report: Json) -> None:
    """I2 and I3: whole, ordered, in the units they say."""
    if not report["figures"]:
        want(report["status"] not in ("OK", "WARN", "DEGRADED"), f"I2 {report['status']} without figures")
        want(all(m["state"] in ("cannot-judge",) and m["cvar"] is None for m in report["limits"]), "I4 judged without figures")
        return
    want(all(report["provenance"].get(k) for k in PROVENANCE), f"I2 provenance lacks something: {report['provenance']}")
    want(report["currency"] and finite(report["value"]) and report["grade"] in "ABCD", "I2 currency, value or grade lacks")
    before: dict[int, tuple[float, float]] = {}
    for f in sorted(report["figures"], key=lambda f: (f["horizon"], f["level"])):
        want(0 < f["level"] < 1 and f["horizon"] >= 1 and f["challengers"], "I2 level, horizon or challengers lack")
        want(finite(f["var"]) and finite(f["cvar"]), "I2 a figure that is no number was published")
        want(f["var"] <= f["cvar"] + SLACK, f"I3 VaR {f['var']} above CVaR {f['cvar']}")
        want(f["var_low"] - SLACK <= f["var"] <= f["var_high"] + SLACK, "I3 VaR outside of its interval")
        want(f["cvar_low"] - SLACK <= f["cvar"] <= f["cvar_high"] + SLACK, "I3 CVaR outside of its interval")
        level, last = before.get(f["horizon"], (0.0, -math.inf))
        want(f["cvar"] >= last - SLACK, f"I3 CVaR falls from level {level} to {f['level']}")
        before[f["horizon"]] = f["level"], f["cvar"]
    for m in report["limits"]:
        if m["cvar"] is not None:
            parts = sum(c["component_cvar"] for c in m["contributions"])
            want(abs(parts - m["cvar"]) <= 1e-6 * max(1.0, abs(m["cvar"])), f"I3 contributions {parts} are not {m['cvar']}")


def check_prices(report: Json, facts: Facts) -> None:
    """I4: what has no usable price today is said, and costs trust."""
    held = {s: abs(w) for s, w in facts.holdings[report["portfolio"]].items() if w}
    share = sum(w for s, w in held.items() if s in facts.unusable) / sum(held.values())
    if share > 0:
        want(report["grade"] != "A", f"I4 grade A although {sorted(facts.unusable)} have no usable price")
        want(set(report["symbol_grades"]) >= facts.unusable & set(held), "I4 a price that is not used is not named")
        want(report["coverage"] <= 1 - share + SLACK, f"I4 coverage {report['coverage']}, not {1 - share}")
    if share > 0.25:
        want(not report["figures"], f"I4 figures although {share:.0%} of the holdings have no price")


def chance_over(report: Json, limit: Json) -> float | None:
    """How likely the limit is passed but for luck with random numbers; that of the estimate, which is published, has no vote."""
    found = (f for f in report["figures"] if (f["level"], f["horizon"]) == (limit["level"], limit["horizon"]))
    figure = next(found, None)
    if figure is None:
        return None
    gap, error = figure["cvar"] - limit["max_cvar"], figure["cvar_error"]
    return normal(gap / error) if error > 0 else float(gap >= 0)


def check_states(report: Json) -> None:
    """Every limit is judged as its own figure says: total, and never in its favour."""
    for m in report["limits"]:
        chance = chance_over(report, m)
        if chance is None or report["grade"] in ("D", "F"):
            want(m["state"] in ("cannot-judge", "firing"), f"a limit is {m['state']} without a figure to judge it by")
            continue
        want(chance <= CERTAIN + 1e-4 or m["state"] == "firing", f"{m['state']} although it is over its limit with {chance:.3f}")


@dataclass
class Subscriber:
    """Reads every event as it is delivered, twice if it comes twice."""

    seen: dict[str, str] = field(default_factory=dict)
    open: dict[Key, str] = field(default_factory=dict)
    told: Counter[tuple[Key, str]] = field(default_factory=Counter)  # messages of a limit in a session

    def read(self, body: str) -> None:
        """One CloudEvent."""
        event = json.loads(body)
        want(self.seen.setdefault(event["id"], body) == body, f"one id, two texts: {event['id']}")
        data = event["data"]
        kind, why = data["kind"], data["why"]
        if kind == "breach.group":
            kind, members = why["of"], why["limits"]
        else:
            members = [{"portfolio": data["portfolio"], "limit": data["limit"], "opened": why.get("opened")}]
        for member in members if kind.startswith("breach.") else ():
            self._turn((member["portfolio"], member["limit"]), kind, member["opened"], data["session"])
        if kind == "allocation.proposed":
            want(any(p == data["portfolio"] for p, _ in self.open), "I5 a proposal reached a reader who knows of no breach")

    def _turn(self, key: Key, kind: str, episode: str, session: str) -> None:
        if kind in ("breach.opened", "breach.escalated", "breach.closed"):
            self.told[key, session] += 1
            want(self.told[key, session] <= MOST, f"{key} is told more than {MOST} times in a session")
        if kind == "breach.opened":
            want(key not in self.open, f"{key} opened twice")
            self.open[key] = episode
        elif kind in ("breach.closed", "breach.withdrawn"):
            want(self.open.pop(key, None) == episode, f"{key} closed a breach that was not open")
        elif kind == "breach.escalated":
            want(key in self.open, f"{key} escalated what was not open")


@dataclass
class Judged:
    """How a limit looked at one session: quiet, and by what; a session judged by two bases proves nothing of either."""

    quiet: bool
    basis: Terms
    twice: bool = False


@dataclass
class Verifier:
    """Follows every commit in order."""

    known: Subscriber = field(default_factory=Subscriber)  # of all that is committed, delivered or not
    past: dict[Key, dict[str, Judged]] = field(default_factory=dict)
    fired: dict[Key, Terms] = field(default_factory=dict)
    eve: dict[Key, Terms] = field(default_factory=dict)
    prices: dict[str, tuple[str, str]] = field(default_factory=dict)  # portfolio -> session and hash of its prices
    newest: str = ""

    def commit(self, outcome: Json, events: list[str], facts: Facts) -> None:
        """What one step said, its events as they will be delivered, and what the world knows of it."""
        if facts.kind == "session" and facts.session != self.newest:
            self.eve, self.newest = dict(self.fired), facts.session
        was = dict(self.known.open)
        for body in events:
            self.known.read(body)
        if facts.kind == "allocation":
            self._allocated(outcome)
        else:
            want(not outcome["proposals"], "I5 a proposal in the commit of a breach")
        for report in outcome["reports"]:
            check_green(report)
            check_figures(report)
            check_prices(report, facts)
            check_states(report)
            self._fresh(report, facts)
            for m in report["limits"]:
                self._life((report["portfolio"], m["name"]), m, chance_over(report, m), facts, was)
        halves(outcome["reports"], facts)

    def acknowledged(self, key: Key, terms: Terms) -> None:
        """A person knows of the breach as it stands now: from here it is judged by these terms."""
        if key in self.known.open:
            self.fired[key] = self.eve[key] = terms

    def _fresh(self, report: Json, facts: Facts) -> None:
        """I4: figures of a new session rest on new prices."""
        last, prices = self.prices.get(report["portfolio"], ("", ""))
        now = report["provenance"]["prices"]
        want(last == report["session"] or prices != now or not report["figures"], "I4 figures of a session on yesterday's prices")
        self.prices[report["portfolio"]] = report["session"], now

    def _life(self, key: Key, limit: Json, chance: float | None, facts: Facts, was: dict[Key, str]) -> None:
        """A breach is told at once, and over only when so many quiet sessions of one model under the stricter terms say so."""
        terms = facts.terms[key]
        if limit["state"] == "firing":
            want(key in self.known.open, f"N1 {key} fires and nobody was told")
        if facts.kind == "prices" and key not in was:
            self.fired[key] = self.eve.get(key, terms)
        then = self.fired.get(key, terms)
        if chance is not None and chance > CERTAIN and limit["state"] == "firing":
            self.fired[key] = terms
        level = min(terms.level, then.level)
        quiet = limit["state"] not in ("firing", "cannot-judge") and limit["cvar"] is not None and limit["cvar"] < level
        days = self.past.setdefault(key, {})
        before = days.get(facts.session)
        twice = before is not None and (before.twice or before.basis != terms)
        days[facts.session] = Judged(quiet, terms, twice)
        if key in was and key not in self.known.open and not (facts.kind == "prices" and was[key] == facts.session):
            needed = list(days.values())[-max(terms.clear_after, then.clear_after) :]
            enough = len(needed) == max(terms.clear_after, then.clear_after)
            same = all(d.quiet and not d.twice and d.basis == terms for d in needed)
            want(enough and same, f"I7 {key} was closed on {facts.session} although that was not earned")

    def _allocated(self, outcome: Json) -> None:
        """I5 and I6: after its breach, and verified."""
        want(not [a for a in outcome["alerts"] if a["kind"].startswith("breach.")], "I5 a breach in the commit of an allocation")
        for p in outcome["proposals"]:
            if p["status"] != "proposed":
                continue
            want(any(name == p["portfolio"] for name, _ in self.known.open), "I5 a proposal before its breach")
            whole = sum(p["weights"].values()) + p["cash"]
            want(abs(whole - 1) < 1e-6 and min(p["weights"].values()) >= -1e-9, f"I6 weights sum to {whole}")
            want(finite(p["cvar_verified"]), "I6 a proposal that nobody verified")
            for m in p["limits"]:
                want(m["after_verified"]["value"] <= 1.02 * m["max_cvar"], "I6 a proposal over its limit")


def halves(reports: list[Json], facts: Facts) -> None:
    """I3: who holds half of a portfolio and cash loses half of what it loses, but for what logarithms bend of large losses."""
    found = {r["portfolio"]: r for r in reports}
    if not {"book", "half"} <= set(found) or not found["book"]["figures"]:
        return
    for whole, half in zip(found["book"]["figures"], found["half"]["figures"], strict=True):
        room = 0.01 * abs(whole["cvar"]) + 0.5 * whole["cvar"] ** 2
        want(abs(half["cvar"] - 0.5 * whole["cvar"]) <= room, f"I3 half of {whole['cvar']} is {half['cvar']}")
