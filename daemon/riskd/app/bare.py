"""Settings for a price file and nothing else: every symbol in it, one equal-weight portfolio, the file's own dates."""

from datetime import date
from pathlib import Path

from riskd.errors import ConfigError
from riskd.feeds.price_file import PriceFile, Reading
from riskd.settings import Settings

MODEL = Path("models/artefacts/lstm-jsu-2014")  # learnt least, so that most is out of its sample


def bare_settings(path: Path, horizons: tuple[int, ...] = (1,)) -> Settings:
    """What ``riskd backtest --prices`` runs on; prices are taken as they stand, in one currency.

    Raises ConfigError for a file without symbols, DataError as every price file does.
    """
    file = PriceFile(path, Reading())
    sessions = sorted({session for symbol in file.symbols for session in file.series(symbol).sessions})
    if not sessions:
        raise ConfigError(f"{path}: has no prices; give a file with a date column and a column for each symbol")
    replay = {"type": "replay", "path": path.resolve(), "first": sessions[0], "last": sessions[-1]}
    limit = {"name": "none", "level": 0.95, "horizon": 1, "max_cvar": 0.99}
    return Settings.model_validate(
        {
            "service": {"calendar": "prices", "history_from": date(1900, 1, 1), "log": "warning"},
            "feeds": (replay,),
            "symbols": {symbol: {"currency": "USD"} for symbol in file.symbols},
            "universe": file.symbols,
            "scenarios": {"horizons": tuple(sorted({1, *horizons}))},
            "portfolios": ({"name": "equal", "weights": "equal", "limits": (limit,)},),
            "model": {"artefact": MODEL.resolve()},
            "web": None,
        }
    )
