"""What ``riskd backtest`` judges is what the daemon said: live and backtest are compared bit for bit on the crash of 2020."""

import json
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from test_kill import configuration, daemon, finished

from riskd.app.backtest import LEVELS, Wanted, backtest
from riskd.app.kit import hand_clock, load_forecaster, market_of, pipeline_of, rules_of
from riskd.core.canonical import plain
from riskd.core.report import PortfolioReport
from riskd.lab.track import Laboratory, Track
from riskd.runtime.pipeline import GIVEN_UP
from riskd.settings import Settings, load_settings
from riskd.store.database import open_database
from riskd.store.ledger import Ledger

pytestmark = pytest.mark.integration
FIRST, LAST = date(2020, 3, 2), date(2020, 3, 13)  # ten sessions, two of them the worst since 1987
HORIZONS = (1, 5)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """Three stocks, two horizons, a limit that breaks, and the newer network as a rival of the older one."""
    path = configuration(tmp_path_factory.mktemp("backtest"), root)
    text = path.read_text().replace("lstm-jsu", "lstm-jsu-2014").replace("horizons = [1]", "horizons = [1, 5]")
    text = text.replace("first = 2020-02-18", f"first = {FIRST}").replace("last = 2020-03-31", f"last = {LAST}")
    rival = f'[[rivals]]\nname = "newer"\nartefact = "{root}/models/artefacts/lstm-jsu"\n'
    path.write_text(text + rival)
    return path


@dataclass(frozen=True)
class Said:
    """Of one portfolio after every session: what a live daemon said, floats as they were or as they were kept."""

    losses: list[float]
    pits: list[float]
    crps: list[float]
    figures: list[dict[tuple[str, float, int], tuple[float, float]]]  # model, level, horizon -> VaR and CVaR


def said_of(reports: list[dict[str, object]]) -> Said:
    """From reports as JSON types."""
    figures = []
    for report in reports:
        found = {}
        for f in report["figures"]:  # type: ignore[attr-defined]
            found["riskd", f["level"], f["horizon"]] = f["var"], f["cvar"]
            found |= {(r["name"], f["level"], f["horizon"]): (r["var"], r["cvar"]) for r in f["challengers"]}
        figures.append(found)
    outturns = ([r[name] for r in reports] for name in ("realised_loss", "pit", "crps"))
    return Said(*outturns, figures)  # type: ignore[arg-type]


def untouched(report: PortfolioReport) -> dict[str, object]:
    """A report as JSON types with every bit of its floats."""
    figures = [
        {
            "level": f.level,
            "horizon": f.horizon,
            "var": f.var,
            "cvar": f.cvar,
            "challengers": [{"name": r.name, "var": r.var, "cvar": r.cvar} for r in f.challengers],
        }
        for f in report.figures
    ]
    return {"figures": figures, "realised_loss": report.realised_loss, "pit": report.pit, "crps": report.crps}


def walked(settings: Settings, store: Path) -> Iterator[PortfolioReport]:
    """The daemon's pipeline on a store on disk, which is closed and opened again before every session."""
    forecaster = load_forecaster(settings)
    sessions = market_of(settings, hand_clock(FIRST)).calendar.sessions(FIRST, LAST)
    eve = market_of(settings, hand_clock(FIRST)).eve(FIRST)
    for session in sessions:
        market = market_of(settings, hand_clock(session))
        database = open_database(store, market.clock.now)
        pipeline = pipeline_of(settings, rules_of(settings, forecaster), market, database, Ledger(database))
        market.release(eve)
        assert pipeline.open(eve) == (session != sessions[0])  # a checkpoint is taken up, but for the first time
        market.clock.move(market.calendar.over_at(session) + GIVEN_UP)
        market.release(session)
        yield from (report for outcome in pipeline.catch_up((session,)) for report in outcome.reports)
        database.close()
        eve = session


@pytest.fixture(scope="module")
def live(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Said:
    reports = list(walked(load_settings(config), tmp_path_factory.mktemp("live")))
    assert len(reports) == 10
    return said_of([untouched(report) for report in reports])


def judged(config: Path, folder: Path, jobs: int = 1, **wanted: object) -> Laboratory:
    plan = {"groups": ("given",), "horizons": HORIZONS, "count": 2, "in_sample": True, **wanted}
    return backtest(load_settings(config), Wanted(FIRST, LAST, **plan), folder, jobs)  # type: ignore[arg-type]


def track_of(lab: Laboratory, horizon: int) -> Track:
    (track,) = [t for t in lab.tracks if (t.portfolio, t.horizon) == ("book", horizon)]
    return track


def differences(lab: Laboratory, said: Said, rounded: bool = False) -> list[str]:
    """Every figure in which a backtest is not what was said."""
    see = plain if rounded else lambda value: value
    wrong = []
    for horizon in HORIZONS:
        track = track_of(lab, horizon)
        for name, forecast in track.forecasts.items():
            for row in range(len(track.sessions)):
                for level in (0.95, 0.975, 0.99):
                    k = LEVELS.index(level)
                    pair = see(float(forecast.var[row, k])), see(float(forecast.cvar[row, k]))
                    if pair != said.figures[row][name, level, horizon]:
                        wrong.append(f"{track.sessions[row]} {name} {level} {horizon}: {pair}")
    day = track_of(lab, 1)
    assert day.forecasts["riskd"].pit is not None and day.forecasts["riskd"].crps is not None
    found = {"losses": day.losses, "pits": day.forecasts["riskd"].pit, "crps": day.forecasts["riskd"].crps}
    wrong += [name for name, values in found.items() if see(values.tolist()) != getattr(said, name)[1:]]
    return wrong


WAYS = {
    "whole": (1, {}),
    "small pieces, two processes": (2, {"chunk": 3}),
    "one session a piece": (2, {"chunk": 1}),
    "in a crowd": (1, {"groups": ("given", "equal", "dirichlet", "long-short", "single")}),
}


@pytest.mark.parametrize("way", WAYS)
def test_live_equals_backtest(way: str, config: Path, live: Said, tmp_path: Path) -> None:
    """VaR and CVaR of the champion, every challenger and the rival, losses, PIT and CRPS: every bit is the live daemon's."""
    jobs, wanted = WAYS[way]
    lab = judged(config, tmp_path, jobs, **wanted)
    assert {"riskd", "gjr-fhs", "ewma-t", "historical", "garch-t-copula", "newer"} == set(track_of(lab, 1).forecasts)
    assert differences(lab, live) == []
    assert all(np.isfinite(f.var).all() for t in lab.tracks for f in t.forecasts.values())


def test_what_the_daemon_kept_is_what_is_judged(config: Path, live: Said, tmp_path: Path) -> None:
    """``riskd run`` as a process of its own: its journal holds, at the digits it keeps, the figures that are judged."""
    finished(daemon(config))
    with sqlite3.connect(config.parent / "state" / "riskd.db") as connection:
        rows = connection.execute("SELECT outcome FROM journal WHERE key LIKE 'session/%' ORDER BY seq").fetchall()
    reports = [report for (text,) in rows for report in json.loads(text)["reports"]]
    assert len(reports) == 10
    kept = said_of(reports)
    assert differences(judged(config, tmp_path), kept, rounded=True) == []
    assert kept.losses == plain(live.losses)


def test_one_session_ahead_alone_is_the_same(config: Path, live: Said, tmp_path: Path) -> None:
    """Without the longer horizons only what is drawn at random differs, and by less than its own luck."""
    track = track_of(judged(config, tmp_path, horizons=(1,)), 1)
    for row in range(len(track.sessions)):
        for name, forecast in track.forecasts.items():
            wanted = live.figures[row][name, 0.95, 1]
            found = forecast.var[row, LEVELS.index(0.95)], forecast.cvar[row, LEVELS.index(0.95)]
            if name == "garch-t-copula":
                assert found == pytest.approx(wanted, rel=0.1)
            else:
                assert found == wanted


SCRIPT = """
import sys
from datetime import date
from pathlib import Path
from riskd.app.backtest import Wanted, backtest
from riskd.lab.report import write_report
from riskd.settings import load_settings
wanted = Wanted(date(2020, 3, 2), date(2020, 3, 13), ("given",), in_sample=True, chunk=3)
write_report(backtest(load_settings(Path(sys.argv[1])), wanted, Path(sys.argv[2])), Path(sys.argv[2]))
"""


def test_a_killed_backtest_goes_on(config: Path, tmp_path: Path) -> None:
    """kill -9 after the second of four pieces: what is there is not folded again, and lab.json is the same to the byte."""

    def started(folder: Path) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, "-c", SCRIPT, str(config), str(folder)], stdout=subprocess.PIPE)

    def pieces() -> list[Path]:
        return sorted(p for p in (tmp_path / "killed" / "pieces").glob("*.npz") if ".part" not in p.name)

    process = started(tmp_path / "killed")
    while len(pieces()) < 2 and process.poll() is None:
        pass
    process.send_signal(signal.SIGKILL)
    process.communicate()
    early = {path: path.stat().st_mtime_ns for path in pieces()}
    assert 2 <= len(early) < 4 and not (tmp_path / "killed" / "lab.json").exists()
    assert started(tmp_path / "killed").wait() == 0
    assert len(pieces()) == 4
    assert {path: path.stat().st_mtime_ns for path in early} == early
    assert started(tmp_path / "whole").wait() == 0
    assert (tmp_path / "killed" / "lab.json").read_bytes() == (tmp_path / "whole" / "lab.json").read_bytes()
