"""What the terminal shows: one line a session and portfolio, breaches and proposals that stand out; the door to rich."""

from collections.abc import Sequence
from itertools import zip_longest

from rich.console import Console as Terminal
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from riskd.core.events import AlertEvent, AlertKind, Outcome
from riskd.core.limits import LimitState
from riskd.core.proposed import Alternative, Proposal, Trade
from riskd.core.report import LimitReport, PortfolioReport, figure_of

MARK = {
    LimitState.CLEAR: ("green", "clear"),
    LimitState.POSSIBLE: ("yellow", "possible"),
    LimitState.FIRING: ("bold red", "FIRING"),
    LimitState.CLEARING: ("magenta", "clearing"),
    LimitState.CANNOT_JUDGE: ("bold white on black", "CANNOT JUDGE"),
}
TRADES = 6  # orders shown one by one
FILE_WIDTH = 400  # characters of a table that is no person's to look at
LOUD = {
    AlertKind.BREACH_OPENED: "bold white on red",
    AlertKind.BREACH_ESCALATED: "bold white on red",
    AlertKind.BREACH_CLOSED: "bold green",
}


class Bar:
    """A progress bar on a terminal, silence elsewhere."""

    def __init__(self, terminal: Terminal, label: str, unit: str) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn(unit))
        self._progress = Progress(*columns, console=terminal, transient=True, disable=not terminal.is_terminal)
        self._progress.start()
        self._task = self._progress.add_task(label, total=None)

    def show(self, done: int, total: int) -> None:
        self._progress.update(self._task, completed=done, total=total)

    def close(self) -> None:
        self._progress.stop()


class Console:
    """Writes to the terminal; quiet when ``silent``."""

    def __init__(self, silent: bool = False) -> None:
        self.shown = not silent
        self._terminal = Terminal(quiet=silent, highlight=False, soft_wrap=True)
        if not self._terminal.is_terminal:
            self._terminal.width = FILE_WIDTH  # what is printed wider than its console is cut
        self._place = ""

    def progress(self, label: str, unit: str = "sessions") -> Bar:
        return Bar(self._terminal, label, unit)

    def line(self, text: str) -> None:
        self._terminal.print(text, markup=False)

    def table(self, columns: Sequence[str], rows: Sequence[Sequence[str]], tones: Sequence[str] = ()) -> None:
        """Rows under their columns; on a terminal the last column takes more lines where there is no room.

        ``tones`` are the styles of the rows, one for each, or none.
        """
        self._terminal.print(tabled(columns, rows, tones))

    def count(self, done: int, total: int) -> None:
        """Where a replay stands; shown at the start of the lines that follow."""
        self._place = f"{done:>{len(str(total))}}/{total} "

    def outcome(self, outcome: Outcome) -> None:
        """The reports of a session, then what stands out."""
        for report in outcome.reports:
            self._terminal.print(f"[dim]{self._place}[/]{_report_line(report)}")
        for alert in outcome.alerts:
            if not outcome.proposals:
                self._terminal.print(f"      [{LOUD.get(alert.kind, 'bold yellow')}] {_shout(alert)} [/]")
        for proposal in outcome.proposals if outcome.alerts else ():  # the same answer as yesterday's is not shown again
            self._terminal.print(_proposal_lines(proposal))


def tabled(columns: Sequence[str], rows: Sequence[Sequence[str]], tones: Sequence[str] = ()) -> Table:
    """See :meth:`Console.table`."""
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in columns:
        table.add_column(column, no_wrap=column != columns[-1])
    for row, tone in zip_longest(rows, tones[: len(rows)], fillvalue=""):
        table.add_row(*map(escape, row), style=str(tone))
    return table


def _report_line(report: PortfolioReport) -> str:
    """date, portfolio, VaR and CVaR of the limit that is used up most, its state, the data grade."""
    head = f"{report.session}  [bold]{report.portfolio:<12}[/] "
    if not report.figures:
        return f"{head}no figure: {report.notes[0] if report.notes else 'nothing computed'}  [bold]grade {report.grade}[/]"
    limit = _fullest(report.limits)
    figure = figure_of(report, limit.level, limit.horizon)
    assert figure is not None
    colour, word = MARK[limit.state]
    return (
        f"{head}VaR {figure.var:6.2%}  CVaR {figure.cvar:6.2%}  of {limit.max_cvar:6.2%}  "
        f"[{colour}]{word:<12}[/] {limit.name:<14} grade {report.grade}{'  [blue]frozen[/]' if report.frozen else ''}"
    )


def _fullest(limits: Sequence[LimitReport]) -> LimitReport:
    return max(limits, key=lambda limit: (limit.state is LimitState.FIRING, (limit.cvar or 0) / limit.max_cvar))


def _shout(alert: AlertEvent) -> str:
    return f"{alert.kind.value.upper()}  {alert.headline}".replace("[", "(")


def _proposal_lines(proposal: Proposal) -> str:
    head = f"      [bold cyan]PROPOSAL {proposal.status}[/]  {proposal.portfolio}: "
    if proposal.cvar_verified is None:
        return f"{head}{proposal.notes[0]}".replace("\n", " ")
    told = next((limit.after_verified for limit in proposal.limits if limit.name == proposal.limit), None)
    sure = f", at most {told.high:.2%}" if told else ""
    first = (
        f"{head}CVaR {proposal.cvar_before:.2%} -> {proposal.cvar_after:.2%} (verified {proposal.cvar_verified:.2%}{sure}, "
        f"limit {proposal.max_cvar:.2%}), cash {proposal.cash:.1%}, cost {proposal.cost:.3%}"
    )
    trades = [f"        {escape(_trade_words(trade))}" for trade in proposal.trades[:TRADES]]
    more = [f"        and {len(proposal.trades) - TRADES} more orders"] if len(proposal.trades) > TRADES else []
    others = [f"        or {escape(_alternative_words(other, proposal))}" for other in proposal.alternatives]
    return "\n".join([first, *trades, *more, *others])


def _trade_words(trade: Trade) -> str:
    """sell 15.0% PG, 1,606.17 shares: lowers CVaR by 1.98%, 264 for each unit of cost"""
    shares = "" if trade.shares is None else f", {abs(trade.shares):,.2f}".rstrip("0").rstrip(".") + " shares"
    words = f"{'buy' if trade.change > 0 else 'sell'} {abs(trade.change):.1%} {trade.symbol}{shares}"
    if trade.cvar_saved is not None:
        words += f": {'lowers' if trade.cvar_saved >= 0 else 'raises'} CVaR by {abs(trade.cvar_saved):.2%}"
        words += f", {abs(trade.saved_per_cost):,.0f} for each unit of cost" if trade.saved_per_cost is not None else ""
    return words


def _alternative_words(other: Alternative, proposal: Proposal) -> str:
    """do nothing: CVaR 8.89%, expected return +0.17% over 1 session; breaks a limit"""
    session = "1 session" if proposal.horizon == 1 else f"{proposal.horizon} sessions"
    figures = f"CVaR {other.cvars[proposal.limit]:.2%}, expected return {other.expected_return:+.2%} over {session}"
    return f"{other.name}: {figures}{'' if other.holds else '; does not hold with certainty'}"
