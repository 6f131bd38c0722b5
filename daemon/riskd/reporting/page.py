"""The report as one HTML page that needs nothing else, made from the facts alone."""

from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from riskd.reporting import drawings, tables
from riskd.reporting.facts import worst_first

Row = dict[str, Any]
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
MEANING = {
    "model": "model, with the digest of its files",
    "rules": "digest of everything configured that enters a figure",
    "bank": "seed of the scenarios",
    "prices": "digest of every return in use",
    "scenarios": "scenario model",
    "paths": "paths",
    "version": "riskd",
}


def html(found: Row) -> str:
    """The page of ``found``, which :func:`riskd.reporting.facts.facts` gave."""
    title = f"Risk report of {found['session']}"
    style = "".join(files(package).joinpath("style.css").read_text(encoding="utf-8") for package in STYLES)
    head = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{style}</style></head>\n"
    )
    body = "\n".join(part for part in _body(found, title) if part)
    return f"{head}<body><main>\n{body}\n</main></body></html>\n"


STYLES = ("riskd.lab", "riskd.reporting")


def _body(found: Row, title: str) -> Iterator[str]:
    order = worst_first(found)
    yield f"<h1>{escape(title)}</h1>"
    yield f'<p class="quiet">{escape(_opening(found))}</p>'
    yield tables.overview(found, order)
    links = "".join(f'<li><a href="#{escape(name)}">{escape(name)}</a></li>' for name in order)
    yield f'<nav aria-label="Portfolios"><ul>{links}<li><a href="#reproduce">reproduce</a></li></ul></nav>'
    for name in order:
        yield from _portfolio(name, found["portfolios"][name])
    yield f'<section><h2 id="told">What was told</h2>{_list([a["headline"] for a in found["alerts"]], "Nothing.")}</section>'
    if restated := tables.revisions(found["data"]):
        count = found["data"]["corrections_in_all"]
        yield f'<section><h2 id="data">Restated prices</h2>\n{restated}<p>{count} returns in use were corrected.</p></section>'
    yield from _reproduce(found, order)


def _opening(found: Row) -> str:
    before = f"Beside the session before, {found['before']}." if found["before"] else "No session before it is known."
    return f"{found['status']}. {before} Loss is positive; figures are percent of a portfolio's value, changes percentage points."


def _portfolio(name: str, told: Row) -> Iterator[str]:
    badge = f'<span class="badge {escape(told["status"])}">{escape(told["status"])}</span>'
    yield f'<section aria-labelledby="{escape(name)}"><h2 id="{escape(name)}">{escape(name)} {badge}</h2>'
    yield f'<p class="quiet">{escape(_worth(told))}</p>'
    yield f'<section class="todo"><h3>What to do</h3>{_list(told["todo"], "Nothing.")}</section>'
    yield f"<section><h3>What changed</h3>\n{_changed(told)}</section>"
    yield f"<section><h3>Why</h3>\n{_why(told)}</section>"
    if told["proposal"]:
        yield f"<section><h3>The allocation</h3>\n{_allocation(told)}</section>"
    yield "</section>"


def _worth(told: Row) -> str:
    before = f", {told['status_before']} before" if told["status_before"] not in (None, told["status"]) else ""
    grade = f"prices graded {told['grade']}"
    grade += f" ({told['grade_before']} before)" if told["grade_before"] not in (None, told["grade"]) else ""
    return f"{told['value']:,.0f} {told['currency']}; {told['status']}{before}; {grade}, {told['coverage']:.1%} of weight usable."


def _changed(told: Row) -> str:
    level = _level(told)
    past = f'<div class="plots">{drawings.history(told, level)}\n<div>{tables.record(told)}</div></div>' if level else ""
    parts = [_list(list(_turned(told)), ""), tables.limits(told), tables.figures(told), past]
    return "\n".join(part for part in parts if part)


def _turned(told: Row) -> Iterator[str]:
    """What the day brought, in words: the loss, and holdings that are others than before."""
    turn = told["outturn"]
    if turn["loss"] is not None:
        loss = f"{'Loss' if turn['loss'] >= 0 else 'Gain'} of {abs(turn['loss']):.2%}"
        held = [f"{'beyond' if turn['beyond'][k] else 'within'} VaR {k} of {v:.2%}" for k, v in turn["var"].items()]
        pit = "" if turn["pit"] is None else f"; the forecast gave {turn['pit']:.1%} to a smaller loss"
        yield f"{loss}{', ' if held else ''}{', '.join(held)}{pit}."
    for name, words in told["moved"].items():
        yield f"CVaR of {name}: {words}."
    for name, pair in told["holdings_changed"].items():
        yield f"Weight of {name}: {pair['before']:.2%} before, {pair['now']:.2%} now."


def _level(told: Row) -> str | None:
    """Of the limit that is used most among those over one session, else the lowest that was forecast."""
    limits = [limit for limit in told["limits"].values() if limit["horizon"] == 1]
    fullest = max(limits, key=lambda limit: limit["used"] or 0.0, default=None)
    forecast = sorted({level for row in told["history"].values() for level in row["forecast"]})
    wanted = f"{fullest['level']:g}" if fullest else None
    return wanted if wanted in forecast else next(iter(forecast), None)


def _why(told: Row) -> str:
    plots = [f(name, limit) for name, limit in told["limits"].items() for f in (drawings.waterfall, drawings.components)]
    said = [*_like(told), *told["notes"]]
    shown = [plot for plot in plots if plot]
    drawn = f'<div class="plots">\n{chr(10).join(shown)}\n</div>' if shown else ""
    parts = [_list(said, ""), drawn, tables.doubts(told)]
    return "\n".join(part for part in parts if part) or '<p class="quiet">Nothing is known of why: there is no figure.</p>'


def _like(told: Row) -> Iterator[str]:
    for name, limit in told["limits"].items():
        why = limit["explanation"]
        if why and why["like"]:
            loss = f", as it would be today a loss of {why['like_loss']:.2%}" if why["like_loss"] is not None else ""
            yield f"{name}: the past session nearest to one session's CVaR {100 * limit['level']:g}% is {why['like']}{loss}."
        if limit["cvar_if_accepted"] is not None:
            proxied = limit["cvar_if_proxied"]
            other = "" if proxied is None else f", {proxied:.2%} had those names moved as their peers did"
            yield f"{name}: CVaR were the doubted prices true {limit['cvar_if_accepted']:.2%}{other}."


def _allocation(told: Row) -> str:
    proposal = told["proposal"]
    parts = [f'<p class="quiet">{escape(_of(proposal))}</p>']
    if proposal["status"] == "proposed":
        parts += [tables.orders(proposal, told["currency"]), f'<div class="plots">{drawings.weights(told)}</div>']
    if proposal["alternatives"]:
        parts.append(tables.alternatives(proposal))
    return "\n".join([*parts, _list(proposal["notes"], "")])


def _of(proposal: Row) -> str:
    return f"{proposal['status'].capitalize()} on {proposal['session']}; limit {proposal['limit']}."


def _reproduce(found: Row, order: Sequence[str]) -> Iterator[str]:
    journal = found["journal"]
    yield '<section><h2 id="reproduce">How to reproduce it</h2>'
    for command in found["reproduce"]:
        yield f"<p><code>{escape(command)}</code></p>"
    if journal:
        terms = {"journal line": journal["line"], "its hash": journal["head"], "state after it": journal["state"]}
        yield _terms(terms)
    else:
        yield "<p>The journal does not reach back to this session.</p>"
    for names, known in _alike(found, order):
        yield f"<h3>{escape(', '.join(names))}</h3>{_terms({MEANING[key]: known[key] for key in MEANING})}"
    yield "</section>"


def _alike(found: Row, order: Sequence[str]) -> list[tuple[list[str], Row]]:
    """Portfolios whose figures rest on the same, together."""
    groups: list[tuple[list[str], Row]] = []
    for name in order:
        known = found["portfolios"][name]["provenance"]
        same = next((names for names, other in groups if other == known), None)
        if same is None:
            groups.append(([name], known))
        else:
            same.append(name)
    return groups


def _terms(values: dict[str, object]) -> str:
    rows = "\n".join(f"<dt>{escape(k)}</dt><dd>{escape(str(v))}</dd>" for k, v in values.items())
    return f"<dl>\n{rows}\n</dl>"


def _list(sentences: Sequence[str], nothing: str) -> str:
    if not sentences:
        return f'<p class="quiet">{escape(nothing)}</p>' if nothing else ""
    rows = "\n".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
    return f'<ul class="told">\n{rows}\n</ul>'
