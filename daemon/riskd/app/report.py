"""The report of one session, read from the store beside a daemon or without one."""

from datetime import date
from pathlib import Path
from typing import Any

from riskd.app.beside import store_beside
from riskd.errors import ConfigError
from riskd.reporting.facts import facts, text
from riskd.reporting.material import material
from riskd.reporting.page import html
from riskd.settings import Settings
from riskd.store.past import past_of

Row = dict[str, Any]


def session_facts(settings: Settings, session: date | None = None, portfolio: str | None = None) -> Row:
    """What there is to say of ``session``, or of the newest; of one portfolio or of all.

    Raises ConfigError without a store, or without a report of that session and portfolio.
    """
    database = store_beside(settings)
    try:
        with past_of(database) as past:
            return facts(material(past, session, portfolio))
    finally:
        database.close()


def write_report(found: Row, folder: Path, portfolio: str | None = None) -> tuple[Path, Path]:
    """``report-DATE.json`` and ``.html`` in ``folder``, made if need be, named after the portfolio too where there is one.

    Raises ConfigError where they cannot be written.
    """
    name = f"report-{found['session']}{f'-{portfolio}' if portfolio else ''}"
    plain, page = folder / f"{name}.json", folder / f"{name}.html"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        plain.write_text(text(found), encoding="utf-8")
        page.write_text(html(found), encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"--out {folder}: {error.strerror}; give a folder that may be written") from error
    return plain, page
