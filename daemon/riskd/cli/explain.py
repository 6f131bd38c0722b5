"""The verb that shows what one alert rested on."""

import json
from typing import Annotated, Any

import typer

from riskd.cli.verb import DEFAULT, ConfigOption, JsonOption, settings_of, told

IdArgument = Annotated[str, typer.Argument(help="Alert id, or the beginning of one.")]


def explain(id: IdArgument, config: ConfigOption = DEFAULT, as_json: JsonOption = False) -> None:
    """Show what one alert rested on, from the store: a fact a line, or with --json as it was kept."""
    with told():
        from riskd.app.beside import store_beside
        from riskd.errors import ConfigError
        from riskd.store.ledger import Ledger

        database = store_beside(settings_of(config))
        try:
            found = Ledger(database).alert(id)
        finally:
            database.close()
        if found is None:
            raise ConfigError(f"no single alert has an id that begins with {id!r}; the page and the events show ids")
        if as_json:
            typer.echo(json.dumps(found, indent=2, ensure_ascii=False))
            return
        for line in _lines(found):
            typer.echo(line)


def _lines(found: dict[str, Any]) -> list[str]:
    """The sentence, then every fact with its path, in columns."""
    facts = [pair for key in sorted(found) if key != "headline" for pair in _facts(key, found[key])]
    room = max(len(path) for path, _ in facts)
    return [found["headline"], "", *(f"{path:<{room}}  {value}" for path, value in facts)]


def _facts(path: str, value: Any) -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [pair for key in value for pair in _facts(f"{path}.{key}", value[key])]
    if isinstance(value, list) and any(isinstance(v, dict) for v in value):
        return [pair for i, v in enumerate(value) for pair in _facts(f"{path}.{i}", v)]
    if isinstance(value, list):
        return [(path, ", ".join(map(str, value)) or "-")]
    return [(path, "-" if value is None else str(value))]
