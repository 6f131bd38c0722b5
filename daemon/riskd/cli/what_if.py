"""riskd what-if: what a trade, other weights or another limit would mean, on the scenarios of the newest session in the store."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from riskd.cli.verb import BREACH, DEFAULT, OK, ConfigOption, JsonOption, settings_of, told

USAGE = 2
Trades = Annotated[
    str | None,
    typer.Argument(help='Such as "sell 2% SPY buy GLD", "buy 10000 USD GLD", "sell all XYZ", "rotate 5% SPY -> GLD".'),
]
Weights = Annotated[str | None, typer.Option(help="All that is to be held, such as SPY=0.5,GLD=0.3; the rest is cash.")]
Bound = Annotated[list[str] | None, typer.Option(help="Least and most weight of a symbol, such as SPY=0:0.1; may be repeated.")]
Optimise = Annotated[bool, typer.Option("--optimise", help="Largest expected profit within the limits.")]
Least = Annotated[bool, typer.Option("--least", help="Least CVaR.")]
Level = Annotated[float | None, typer.Option("--level", "--alpha", help="Confidence: 0.95 is the worst 5 %.")]
Asked = dict[str, Any]
Fraction = Annotated[float | None, typer.Option(help="A fraction of value.")]


def what_if(
    trades: Trades = None,
    portfolio: Annotated[str | None, typer.Option(help="Needed where there are several.")] = None,
    limit: Annotated[float | None, typer.Option(help="The most that CVaR may be: 0.02 is 2 %.")] = None,
    horizon: Annotated[int | None, typer.Option(help="Sessions; one of scenarios.horizons.")] = None,
    level: Level = None,
    optimise: Optimise = False,
    least: Least = False,
    weights: Weights = None,
    bound: Bound = None,
    max_weight: Fraction = None,
    max_turnover: Fraction = None,
    max_cash: Fraction = None,
    cost: Annotated[float | None, typer.Option(help="Of what is traded.")] = None,
    keep_limits: Annotated[bool, typer.Option("--keep-limits", help="An optimum keeps the portfolio's limits too.")] = False,
    frontier: Annotated[bool, typer.Option("--frontier", help="Also the mean-CVaR frontier.")] = False,
    fail_on_breach: Annotated[bool, typer.Option("--fail-on-breach", help="Exit 3 if a limit does not hold after.")] = False,
    config: ConfigOption = DEFAULT,
    as_json: JsonOption = False,
) -> None:
    """Show what a trade, other weights or another limit would mean: risk, limits, orders and expected profit.

    On the scenarios of the newest session in the store, beside a running daemon or without one. Nothing is changed.
    """
    asked: Asked = {"trades": trades, "portfolio": portfolio, "limit": limit, "horizon": horizon, "level": level, "cost": cost}
    asked |= {"max_weight": max_weight, "max_turnover": max_turnover, "max_cash": max_cash}
    asked |= {"optimise": "cvar" if least else "profit" if optimise else None, "weights": _weights(weights)}
    asked |= {"bounds": _bounds(bound or []), "keep_limits": keep_limits, "frontier": frontier}
    with told():
        answer = _answer(config, {key: value for key, value in asked.items() if value is not None}, as_json)
        _tell(answer, as_json)
    lost = not all(limit["holds_after"] for limit in answer["limits"])
    raise typer.Exit(BREACH if fail_on_breach and lost else OK)


def _tell(answer: dict[str, Any], as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(answer, indent=2))
        return
    from riskd.cli.what_if_tables import tell

    tell(answer)


def _weights(words: str | None) -> dict[str, float] | None:
    if words is None:
        return None
    return {symbol: _number(w, "--weights") for symbol, w in _pairs(words.split(","), "--weights")}


def _bounds(words: list[str]) -> dict[str, list[float]]:
    return {symbol: _range(w) for symbol, w in _pairs(words, "--bound")}


def _answer(config: Path, body: dict[str, Any], silent: bool) -> dict[str, Any]:
    """Exit 2 for a question that cannot be asked."""
    from riskd.app.what_if import what_if_on
    from riskd.core.what_if.question import QuestionError
    from riskd.observe.console import Console

    bar = Console(silent=silent).progress("taking up the scenarios", "")
    try:
        return what_if_on(settings_of(config)).answer(body)
    except QuestionError as error:
        typer.echo(f"riskd: {error}", err=True)
        raise typer.Exit(USAGE) from None
    finally:
        bar.close()


def _pairs(texts: list[str], option: str) -> list[tuple[str, str]]:
    """SYMBOL=WORDS each; the symbol may have = signs of its own."""
    pairs = [text.strip().rpartition("=") for text in texts]
    for text, (symbol, _, words) in zip(texts, pairs, strict=True):
        if not symbol or not words:
            raise typer.BadParameter(f"{option} {text.strip()!r}: write SYMBOL=NUMBER, such as SPY=0.5")
    return [(symbol.strip(), words.strip()) for symbol, _, words in pairs]


def _range(words: str) -> list[float]:
    least, _, most = words.partition(":")
    return [_number(least, "--bound"), _number(most, "--bound")]


def _number(words: str, option: str) -> float:
    try:
        return float(words)
    except ValueError:
        raise typer.BadParameter(f"{option} {words!r} is no number") from None
