"""A report read back from its text: JSON knows no NaN, so a figure that could not be computed was written as null."""

import json
import math
from typing import Any

from pydantic import TypeAdapter

from riskd.core.report import PortfolioReport

_REPORT = TypeAdapter(PortfolioReport)


def read_report(text: str) -> PortfolioReport:
    """The report that ``canonical_json`` wrote; raises ValueError for a text that is none."""
    body = json.loads(text)
    figures = [{**_numbers(f), "challengers": [_numbers(r) for r in f["challengers"]]} for f in body["figures"]]
    return _REPORT.validate_python({**body, "figures": figures})


def _numbers(fields: dict[str, Any]) -> dict[str, Any]:
    """``fields``, all numbers but a name, with NaN for null."""
    return {key: math.nan if value is None else value for key, value in fields.items()}
