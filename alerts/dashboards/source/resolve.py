"""A dashboard's queries as Prometheus takes them: variables get values that it knows, Grafana's own get a length."""

import json
import re
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

LABEL_VALUES = re.compile(r"label_values\((?P<series>.+), (?P<label>\w+)\)")
VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
Json = dict[str, Any]


class Prometheus:
    """The HTTP interface of a Prometheus at ``url``."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def get(self, path: str, **fields: object) -> Any:
        """``data`` of an answer; raises OSError, its own words in it, when Prometheus does not take the query."""
        query = urllib.parse.urlencode([(k.replace("match", "match[]"), v) for k, v in fields.items()])
        with urllib.request.urlopen(f"{self._url}/api/v1/{path}?{query}", timeout=30) as answer:
            return json.load(answer)["data"]

    def over(self, expr: str, start: float, end: float, step: float) -> list[Json]:
        """Series of ``expr`` at every ``step`` seconds."""
        return list(self.get("query_range", query=expr, start=start, end=end, step=step)["result"])

    def now(self, expr: str) -> list[Json]:
        """Series of ``expr`` as of now, in the order that ``sort`` and its like give them."""
        return [{**s, "values": [s["value"]]} for s in self.get("query", query=expr)["result"]]

    def values(self, series: str, label: str) -> list[str]:
        """What ``label`` is in ``series``."""
        return list(self.get(f"label/{label}/values", match=series))


def dashboards(folder: Path) -> dict[str, Json]:
    """Every dashboard of a folder by the name of its file."""
    return {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}


def targets(dashboard: Json) -> Iterator[tuple[Json, Json]]:
    """Every panel with each of its queries."""
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield panel, target


def chosen(dashboard: Json, prometheus: Prometheus) -> dict[str, str]:
    """A value for every variable, in their order: the first as Grafana sorts them, or all of them where several may be chosen.

    Raises ValueError for a variable that has none.
    """
    found: dict[str, str] = {}
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "datasource":
            continue
        asked = LABEL_VALUES.fullmatch(filled(variable["query"]["query"], found))
        values = prometheus.values(asked["series"], asked["label"]) if asked else []
        if not values:
            raise ValueError(f"{dashboard['title']}: the variable {variable['name']} has no value")
        numeric = variable["sort"] == 3
        values = sorted(values, key=float) if numeric else sorted(values)
        found[variable["name"]] = f"({'|'.join(values)})" if variable.get("multi") else values[0]
    return found


def filled(text: str, values: Mapping[str, str]) -> str:
    """``text`` with its variables replaced; raises KeyError for one without a value."""
    return VARIABLE.sub(lambda match: values[match[1] or match[2]], text)
