"""The Yahoo feed against recorded answers, through the real yfinance, curl and TLS, without leaving the machine."""

import gzip
import math
import socket
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from riskd.core.quote import Quote
from riskd.errors import DataError
from riskd.feeds.feed import Finding, NoAnswerError, Pull
from riskd.feeds.limiter import Pace
from riskd.feeds.yahoo import Patience, YahooFeed

from .conftest import Answer, Drawer, FakeYahoo, VirtualTime, edited, failure, recorded

pytestmark = [pytest.mark.integration, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

MakeFeed = Callable[..., YahooFeed]

AAPL = "AAPL-2020-08-31-to-2020-11-07__chart__rec2025"
AUTUMN = date(2020, 8, 31), date(2020, 11, 7)
NEW_YEAR = date(2020, 1, 1), date(2020, 1, 3)
SOX = "^SOX-1mo-live-session"
SOX_DAYS = date(2026, 9, 1), date(2026, 10, 5)
SOX_SEEN = datetime.fromtimestamp(1791215934, UTC)  # 11:58 in New York, four hours before the close


def told(pull: Pull, symbol: str) -> list[tuple[Finding, int]]:
    return [(o.outcome, o.rows) for o in pull.outcomes if o.symbol == symbol]


def of(pull: Pull, symbol: str, field: str = "close") -> list[Quote]:
    return [q for q in pull.quotes if q.symbol == symbol and q.field == field]


def test_a_recorded_history_becomes_quotes(yahoo: FakeYahoo, feed: MakeFeed) -> None:
    """Raw close, the 4:1 split and the dividend of the recording come out, dated by session and in order, and nothing else."""
    yahoo.answers = {"AAPL": recorded(AAPL)}
    pull = feed().pull(("AAPL",), *AUTUMN)
    closes = of(pull, "AAPL")
    assert told(pull, "AAPL") == [(Finding.OK, 49)]
    assert [q.session for q in closes] == sorted(q.session for q in closes)
    assert (closes[0].session, closes[0].value) == (date(2020, 8, 31), 129.0399932861328)
    assert {q.field for q in pull.quotes} == {"close", "dividend", "split"}
    assert [(q.session, q.value) for q in of(pull, "AAPL", "split")] == [(date(2020, 8, 31), 4.0)]
    assert [(q.session, q.value) for q in of(pull, "AAPL", "dividend")] == [(date(2020, 11, 6), 0.205)]
    assert pull.currencies == {"AAPL": "USD"}
    assert {q.seen_at for q in pull.quotes} == {datetime(2026, 11, 21, 12, tzinfo=UTC)}


def test_answers_come_in_the_order_asked_with_a_session_in_local_time(yahoo: FakeYahoo, feed: MakeFeed) -> None:
    """New York, London, Berlin, Copenhagen and round-the-clock markets keep the caller's order and their own dates."""
    symbols = ("OCDO.L", "BTC-USD", "EURUSD=X", "ORSTED.CO", "GOOG")
    yahoo.answers = {s: recorded(f"{s}-2020-01-01-to-2020-01-03__chart__rec2025") for s in symbols}
    pull = feed().pull(symbols, date(2020, 1, 1), date(2020, 1, 3))
    assert tuple(dict.fromkeys(q.symbol for q in pull.quotes)) == symbols
    assert [q.session.day for q in of(pull, "BTC-USD")] == [1, 2, 3]
    assert [q.session.day for q in of(pull, "EURUSD=X")] == [2, 3]
    (stray,) = (o for o in pull.outcomes if o.symbol == "EURUSD=X" and o.outcome is Finding.MALFORMED)
    assert stray.reason == "2020-01-01 refused: no session of its exchange"
    assert [q.session.day for q in of(pull, "GOOG")] == [2]
    assert pull.currencies["OCDO.L"] == "GBp"


def test_a_restated_history_is_seen_at_once(yahoo: FakeYahoo, feed: MakeFeed) -> None:
    """AMZN as recorded before and after its 20:1 split: the second pull is not served from yfinance's cache."""
    once = feed()
    yahoo.answers = {"AMZN": recorded("AMZN-2020-01-01-to-2020-01-03__chart__rec2021")}
    before = of(once.pull(("AMZN",), *NEW_YEAR), "AMZN")
    yahoo.answers = {"AMZN": recorded("AMZN-2020-01-01-to-2020-01-03__chart__rec2025")}
    after = of(once.pull(("AMZN",), *NEW_YEAR), "AMZN")
    assert before[0].value / after[0].value == pytest.approx(20, rel=1e-6)


def test_a_failure_is_not_remembered(yahoo: FakeYahoo, feed: MakeFeed) -> None:
    """A pull that met HTTP 500 is followed by one that gets the prices."""
    once = feed()
    yahoo.answers = {"AAPL": Answer(500, b"{}")}
    with pytest.raises(DataError, match="1 unreachable.*answered 500"):
        once.pull(("AAPL",), *AUTUMN)
    yahoo.answers = {"AAPL": recorded(AAPL)}
    assert told(once.pull(("AAPL",), *AUTUMN), "AAPL") == [(Finding.OK, 49)]


def test_a_second_pull_costs_one_request_a_symbol(yahoo: FakeYahoo, feed: MakeFeed) -> None:
    """Once time zone, cookie and crumb are known, nothing but one chart a symbol is asked."""
    yahoo.answers = {"AAPL": recorded(AAPL), "QQQ": recorded("QQQ-2020-01-01-to-2020-01-03__chart__rec2025")}
    once = feed()
    once.pull(("AAPL", "QQQ"), *AUTUMN)
    yahoo.asked.clear()
    once.pull(("AAPL", "QQQ", "AAPL"), *AUTUMN)
    assert yahoo.charts == ["AAPL", "QQQ"] and len(yahoo.asked) == 2


BOMB = gzip.compress(b'{"chart":"' + b"a" * (64 << 20) + b'"}', 1)
WHOLE = b'{"chart":{"result":[{"meta":{"symbol":"BAD","currency":"USD"'


def _without_time_stamps(result: dict[str, Any]) -> None:
    result["meta"]["symbol"] = "BAD"
    del result["timestamp"]


def _without_bars(result: dict[str, Any]) -> None:
    result["meta"]["symbol"] = "BAD"
    result["timestamp"], result["events"] = [], {}
    for lists in (result["indicators"]["quote"][0], result["indicators"]["adjclose"][0]):
        lists |= dict.fromkeys(lists, [])


def _without_session(result: dict[str, Any]) -> None:
    result["meta"] |= {"symbol": "BAD", "currentTradingPeriod": {"regular": {"start": "soon", "end": None}}}


def _marked_up(result: dict[str, Any]) -> None:
    result["meta"]["symbol"] = "<script>\x1b[2J\nalert(1)</script>"


def _in_pence(result: dict[str, Any]) -> None:
    result["meta"] |= {"symbol": "BAD", "currency": "GBp"}


def _late(result: dict[str, Any]) -> None:
    _renamed(result)
    result["timestamp"] = [stamp + 24 * 3600 for stamp in result["timestamp"]]


def _twice(result: dict[str, Any]) -> None:
    _renamed(result)
    result["timestamp"][3] = result["timestamp"][2] + 60


def _unsorted(result: dict[str, Any]) -> None:
    _renamed(result)
    stamps = result["timestamp"]
    stamps[2], stamps[3] = stamps[3], stamps[2]


def _odd_stamps(result: dict[str, Any]) -> None:
    _renamed(result)
    result["timestamp"][3] = None


def _renamed(result: dict[str, Any]) -> None:
    result["meta"]["symbol"] = "BAD"


FAULTS: dict[str, tuple[Callable[[], Answer], Finding, str]] = {
    "delisted": (lambda: failure("404_no_data"), Finding.NOT_FOUND, "404: No data found, symbol may be delisted"),
    "not listed yet": (lambda: failure("400_before_ipo"), Finding.EMPTY, "400: Data doesn't exist"),
    "no bars": (lambda: edited("CAPIO.ST", _renamed), Finding.EMPTY, "no price data"),
    "denied": (lambda: failure("401_feature"), Finding.UNREACHABLE, "answered 401"),
    "too many": (lambda: failure("429_chart"), Finding.RATE_LIMITED, "429"),
    "server error": (lambda: Answer(500, b"<html>oops</html>", "text/html"), Finding.UNREACHABLE, "answered 500"),
    "HTML": (lambda: Answer(200, b"<!doctype html><p>hello", "text/html"), Finding.MALFORMED, "text/html instead of JSON"),
    "down page": (lambda: Answer(200, b"Will be right back", "text/html"), Finding.MALFORMED, "instead of JSON"),
    "empty body": (lambda: Answer(200, b""), Finding.MALFORMED, "empty body"),
    "half of JSON": (lambda: Answer(200, WHOLE), Finding.MALFORMED, "broken JSON"),
    "cut off": (lambda: Answer(200, WHOLE, cut=True), Finding.MALFORMED, "broke off"),
    "not an object": (lambda: Answer(200, b"{}"), Finding.MALFORMED, "without a chart"),
    "hang": (lambda: Answer(hang=True), Finding.TIMEOUT, "imed out"),
    "another symbol": (lambda: recorded(AAPL), Finding.RENAMED, "answered about 'AAPL'; if BAD was renamed, change it"),
    "markup": (lambda: edited(AAPL, _marked_up), Finding.RENAMED, "answered about '<script>\\x1b[2J"),
    "pence": (lambda: edited(AAPL, _in_pence), Finding.CURRENCY_CHANGED, "quotes it in 'GBp', expected was 'GBP'"),
    "a day late": (lambda: edited(AAPL, _late), Finding.MALFORMED, "every date is 1 day too late to be a session; none of"),
    "a day twice": (lambda: edited(AAPL, _twice), Finding.MALFORMED, "answered with 2020-09-02 twice"),
    "unsorted": (lambda: edited(AAPL, _unsorted), Finding.MALFORMED, "answered with 2020-09-02 after 2020-09-03"),
    "odd time stamps": (lambda: edited(AAPL, _odd_stamps), Finding.MALFORMED, "no sense in its dates"),
    "ten megabytes": (lambda: Answer(200, b'{"chart":"' + b"a" * 10_000_000), Finding.MALFORMED, "longer than 8388608"),
    "hourly": (lambda: edited("TSLA-2021-11-22-to-2021-11-23-interval-30m", _renamed), Finding.MALFORMED, "'30m'"),
    "lists without a bar": (lambda: edited(AAPL, _without_bars), Finding.EMPTY, "no session from"),
    "no session": (lambda: edited(AAPL, _without_session), Finding.MALFORMED, ""),
    "deep JSON": (lambda: Answer(200, b'{"chart":' + b"[" * 100_000), Finding.MALFORMED, "broken JSON"),
    "no time stamps": (lambda: edited(AAPL, _without_time_stamps), Finding.MALFORMED, "KeyError: 'timestamp'"),
    "gzip bomb": (lambda: Answer(200, BOMB, headers={"Content-Encoding": "gzip"}), Finding.MALFORMED, "longer than 8388608"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_every_failure_has_its_own_name(fault: str, yahoo: FakeYahoo, feed: MakeFeed) -> None:
    """One bad symbol is told by its outcome and a one-line reason, and leaves the good one beside it untouched."""
    answer, outcome, words = FAULTS[fault]
    yahoo.answers = {"AAPL": recorded(AAPL), "BAD": answer()}
    units = {"BAD": "GBP" if fault == "pence" else "USD", "AAPL": "USD"}
    pull = feed(patience=Patience(request=0.5), units=units.get).pull(("AAPL", "BAD"), *AUTUMN)
    (bad,) = (o for o in pull.outcomes if o.symbol == "BAD")
    assert (bad.outcome, bad.rows) == (outcome, 0)
    assert words in bad.reason and "\n" not in bad.reason
    assert told(pull, "AAPL") == [(Finding.OK, 49)] and pull.failed == ("BAD",)
    assert {q.symbol for q in pull.quotes} == {"AAPL"}


def test_an_unknown_symbol_costs_one_request(yahoo: FakeYahoo, feed: MakeFeed) -> None:
    """A 404 is believed at once: no fresh cookies, no second question, no search of other pages."""
    yahoo.answers = {"AAPL": recorded(AAPL), "GONE": failure("404_no_data")}
    once = feed()
    once.pull(("AAPL",), *AUTUMN)
    yahoo.asked.clear()
    once.pull(("GONE",), *AUTUMN)
    assert yahoo.charts == ["GONE"] and len(yahoo.asked) == 1


def test_a_refused_cookie_is_renewed(yahoo: FakeYahoo, feed: MakeFeed) -> None:
    """One 401 makes yfinance renew its cookies; the second answer counts."""
    yahoo.answers = {"AAPL": [failure("401_invalid_crumb"), recorded(AAPL)]}
    assert told(feed().pull(("AAPL",), *AUTUMN), "AAPL") == [(Finding.OK, 49)]


def test_a_refused_crumb_does_not_cost_the_prices(yahoo: FakeYahoo, feed: MakeFeed, virtual: VirtualTime) -> None:
    """429 on the crumb, which charts do not need, shuts the source for the back-off only."""
    yahoo.answers = {"AAPL": [failure("401_invalid_crumb"), recorded(AAPL)]}
    yahoo.crumb = failure("429_getcrumb")
    once = feed()
    with pytest.raises(DataError, match="next is allowed in"):
        once.pull(("AAPL",), *AUTUMN)
    virtual.seconds += 150
    assert told(once.pull(("AAPL",), *AUTUMN), "AAPL") == [(Finding.OK, 49)]


@pytest.mark.parametrize("then", ["429 for ever", "answers again"])
def test_after_the_first_429_at_most_ten_requests_an_hour_follow(
    then: str, yahoo: FakeYahoo, feed: MakeFeed, virtual: VirtualTime
) -> None:
    """Three symbols pulled every minute: at most ten requests in the hour after the first 429, whatever Yahoo says next."""
    follow = failure("429_chart") if then == "429 for ever" else recorded(AAPL)
    yahoo.answers = {"AAPL": [failure("429_chart"), follow], "GOOG": follow, "QQQ": follow}
    once = feed()
    times: list[float] = []
    for _ in range(60):
        had = len(yahoo.asked)
        with suppress(DataError):
            once.pull(("AAPL", "GOOG", "QQQ"), *AUTUMN)
        times += [virtual.seconds] * (len(yahoo.asked) - had)
        virtual.seconds += 60
    assert times[0] == 0.0 and 2 <= sum(t > 0 for t in times) <= 10


def test_restarts_do_not_forget_the_back_off(yahoo: FakeYahoo, feed: MakeFeed, virtual: VirtualTime) -> None:
    """A daemon that is started anew every minute makes, counted at the server, at most ten requests after the first 429."""
    yahoo.answers = {"AAPL": [failure("429_chart"), recorded(AAPL)], "QQQ": recorded(AAPL)}
    drawer = Drawer()
    times: list[float] = []
    for _ in range(60):
        had = len(yahoo.asked)
        with suppress(DataError):
            feed(notes=drawer).pull(("AAPL", "QQQ"), *AUTUMN)
        times += [virtual.seconds] * (len(yahoo.asked) - had)
        virtual.seconds += 60
    assert times[0] == 0.0 and 2 <= sum(t > 0 for t in times) <= 10
    assert min(t for t in times if t > 0) >= Pace().least


def test_one_deadline_holds_for_all_symbols(yahoo: FakeYahoo, feed: MakeFeed) -> None:
    """When every request hangs the pull stops at its deadline, and the symbols that were not asked are told as timeouts."""
    symbols = tuple(f"S{i}" for i in range(20))
    yahoo.answers = dict.fromkeys(symbols, Answer(hang=True))
    with pytest.raises(DataError, match="20 symbols .20 timeout"):
        feed(patience=Patience(request=0.2, pull=1.0), real_time=True).pull(symbols, *AUTUMN)
    assert len(set(yahoo.charts)) < 20


def test_no_road_means_unreachable(feed: MakeFeed) -> None:
    """With nobody behind the proxy's port the source is unusable, in one line, and there is no way round the proxy."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))  # bound but not listening: connections are refused
        with pytest.raises(DataError, match="^yahoo: no answer for any of 2 symbols .2 unreachable") as caught:
            feed(proxy=f"http://127.0.0.1:{unused.getsockname()[1]}").pull(("AAPL", "QQQ"), *AUTUMN)
    assert "\n" not in str(caught.value)


def test_a_name_that_does_not_resolve_is_unreachable(feed: MakeFeed) -> None:
    """Without name resolution the source is unusable, in one line, with an outcome for each symbol."""
    with pytest.raises(NoAnswerError, match="2 unreachable") as caught:
        feed(proxy="http://nowhere.invalid:8080").pull(("AAPL", "QQQ"), *AUTUMN)
    assert [(o.symbol, o.outcome) for o in caught.value.outcomes] == [(s, Finding.UNREACHABLE) for s in ("AAPL", "QQQ")]


def test_an_unknown_certificate_is_refused(yahoo: FakeYahoo, feed: MakeFeed) -> None:
    """A server that cannot prove to be Yahoo gets no question and gives no price."""
    yahoo.ca_bundle = None
    yahoo.answers = {"AAPL": recorded(AAPL)}
    with pytest.raises(DataError, match="1 unreachable.*CertificateVerifyError"):
        feed().pull(("AAPL",), *AUTUMN)
    assert yahoo.asked == []


@pytest.mark.parametrize("bad", [None, math.inf])
def test_a_candle_without_a_number_is_reported(bad: float | None, yahoo: FakeYahoo, feed: MakeFeed) -> None:
    """A null or infinite close is withheld, counted and dated; nothing that is not finite passes."""
    yahoo.answers = {"AAPL": edited(AAPL, lambda r: r["indicators"]["quote"][0]["close"].__setitem__(3, bad))}
    pull = feed().pull(("AAPL",), *AUTUMN)
    assert told(pull, "AAPL") == [(Finding.OK, 48), (Finding.MISSING, 1)]
    assert "2020-09-03" in pull.outcomes[1].reason
    assert date(2020, 9, 3) not in {q.session for q in of(pull, "AAPL")}
    assert all(math.isfinite(q.value) for q in pull.quotes)


def test_a_recorded_null_candle(yahoo: FakeYahoo, feed: MakeFeed) -> None:
    """WSU.DE on 2023-08-07 as recorded a month later: two closes and one missing."""
    yahoo.answers = {"WSU.DE": recorded("WSU.DE-2023-08-04-to-2023-08-09__chart__rec2023")}
    pull = feed().pull(("WSU.DE",), date(2023, 8, 4), date(2023, 8, 8))
    assert told(pull, "WSU.DE") == [(Finding.OK, 2), (Finding.MISSING, 1)]


def test_the_live_candle_is_refused(yahoo: FakeYahoo, feed: MakeFeed) -> None:
    """Recorded during the session: 19 closes pass, the twentieth does not, even when the calendar claims it is closed."""
    yahoo.answers = {"^SOX": recorded(SOX)}
    pull = feed(now=SOX_SEEN).pull(("^SOX",), *SOX_DAYS)
    assert told(pull, "^SOX") == [(Finding.OK, 19), (Finding.REFUSED_LIVE, 1)]
    assert max(q.session for q in pull.quotes) == date(2026, 10, 2)


def test_an_answer_made_during_the_session_is_refused_after_it(yahoo: FakeYahoo, feed: MakeFeed) -> None:
    """The same bytes delivered three hours after the close still end before the close: their last candle stays refused."""
    yahoo.answers = {"^SOX": recorded(SOX)}
    pull = feed(now=SOX_SEEN + timedelta(hours=7)).pull(("^SOX",), *SOX_DAYS)
    assert told(pull, "^SOX") == [(Finding.OK, 19), (Finding.REFUSED_LIVE, 1)]


def test_a_settled_close_passes(yahoo: FakeYahoo, feed: MakeFeed) -> None:
    """SPY recorded on the day after: its last candle traded until the close and is delivered."""
    yahoo.answers = {"SPY": recorded("SPY-5-bars")}
    week = date(2026, 2, 13), date(2026, 2, 20)
    seen = datetime(2026, 2, 20, 21, tzinfo=UTC)  # the close, to the second
    settled = feed(now=seen + timedelta(minutes=20)).pull(("SPY",), *week)
    early = feed(now=seen + timedelta(minutes=19)).pull(("SPY",), *week)
    against = feed(now=seen + timedelta(hours=5), closed=lambda symbol, s: (symbol, s) < ("SPY", date(2026, 2, 20))).pull(
        ("SPY",), *week
    )
    assert told(settled, "SPY") == [(Finding.OK, 5)]
    assert told(early, "SPY") == told(against, "SPY") == [(Finding.OK, 4), (Finding.REFUSED_LIVE, 1)]


def test_a_close_without_open_high_and_low_is_still_a_close(yahoo: FakeYahoo, feed: MakeFeed) -> None:
    """KOSPI-25.KS has zeros beside a good close; its candle belongs to the day of its last trade, in Seoul."""
    yahoo.answers = {"KOSPI-25.KS": recorded("KOSPI-25.KS")}
    pull = feed().pull(("KOSPI-25.KS",), date(2026, 10, 1), date(2026, 10, 6))
    assert [(q.session, q.value) for q in of(pull, "KOSPI-25.KS")] == [(date(2026, 10, 2), 46539.140625)]


def test_no_bar_in_the_asked_days_is_empty(yahoo: FakeYahoo, feed: MakeFeed) -> None:
    """Rows outside the asked days are not delivered."""
    yahoo.answers = {"AAPL": recorded(AAPL)}
    pull = feed().pull(("AAPL",), date(2020, 11, 7), date(2020, 11, 8))
    assert told(pull, "AAPL") == [(Finding.EMPTY, 0)] and pull.quotes == ()


def test_a_session_without_a_bar_is_missing(yahoo: FakeYahoo, feed: MakeFeed) -> None:
    """A bar that is left out in the middle, and yesterday's answer given again, show as sessions without a price."""

    def shorter(result: dict[str, Any]) -> None:
        lists = [result["timestamp"], *result["indicators"]["quote"][0].values(), result["indicators"]["adjclose"][0]["adjclose"]]
        for values in lists:
            del values[-1], values[10]

    yahoo.answers = {"AAPL": edited(AAPL, shorter)}
    pull = feed().pull(("AAPL",), *AUTUMN)
    assert told(pull, "AAPL") == [(Finding.OK, 47), (Finding.MISSING, 2)]
    assert pull.outcomes[1].reason == "2 sessions without a price, 2020-09-15 to 2020-11-06"


def test_a_distribution_of_gains_is_a_dividend_too(yahoo: FakeYahoo, feed: MakeFeed) -> None:
    """A fund's capital gains are added to the dividend of the day unless they are in it already."""

    def fund(result: dict[str, Any]) -> None:
        result["meta"]["instrumentType"] = "ETF"
        first, second = result["timestamp"][5], result["timestamp"][6]
        result["events"]["dividends"] = {str(t): {"amount": a, "date": t} for t, a in ((first, 0.2), (second, 1.2))}
        result["events"]["capitalGains"] = {str(t): {"amount": 1.0, "date": t} for t in (first, second)}

    yahoo.answers = {"AAPL": edited(AAPL, fund)}
    assert [q.value for q in of(feed().pull(("AAPL",), *AUTUMN), "AAPL", "dividend")] == [1.2, 1.2]


def test_a_dividend_in_another_currency_is_left_out_and_told(yahoo: FakeYahoo, feed: MakeFeed) -> None:
    """Pounds beside a price in pence would be a hundredth of the truth; the closes stay, and one in the price's own is told."""

    def paid(currency: str) -> Callable[[dict[str, Any]], None]:
        def change(result: dict[str, Any]) -> None:
            for dividend in result["events"]["dividends"].values():
                dividend["currency"] = currency

        return change

    yahoo.answers = {"AAPL": edited(AAPL, paid("EUR"))}
    strange = feed().pull(("AAPL",), *AUTUMN)
    assert told(strange, "AAPL") == [(Finding.OK, 49), (Finding.MALFORMED, 1)] and of(strange, "AAPL", "dividend") == []
    assert strange.outcomes[1].reason == "2020-11-06 refused: its dividend is in 'EUR', the price in 'USD'"
    yahoo.answers = {"AAPL": edited(AAPL, paid("USD"))}
    assert len(of(feed().pull(("AAPL",), *AUTUMN), "AAPL", "dividend")) == 1


def test_zero_and_negative_closes_are_passed_on(yahoo: FakeYahoo, feed: MakeFeed) -> None:
    """What Yahoo says is kept as it is said: to refuse a figure over it is for the judgement of prices."""

    def odd(result: dict[str, Any]) -> None:
        result["indicators"]["quote"][0]["close"][4:6] = [0.0, -37.63]

    yahoo.answers = {"AAPL": edited(AAPL, odd)}
    assert [q.value for q in of(feed().pull(("AAPL",), *AUTUMN), "AAPL")][4:6] == [0.0, -37.63]
