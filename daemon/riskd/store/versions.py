"""Which version of the tables a store has, and how it gets the newest: made whole, or migrated in one transaction."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, insert, inspect, select, text

from riskd.errors import ConfigError
from riskd.store.schema import VERSION, metadata, riskd_version

MIGRATIONS = Path(__file__).with_name("migrations")


def version_of(connection: Connection, name: str) -> int:
    """The version of the store that ``connection`` sees; 0 where nothing is.

    ``name`` is what messages call it. Raises ConfigError when a newer riskd wrote it, or when it is none of riskd's.
    """
    marked = int(connection.execute(text("PRAGMA user_version")).scalar_one()) if connection.dialect.name == "sqlite" else 0
    tables = set(inspect(connection).get_table_names())
    said = connection.execute(select(riskd_version.c.version_num)).scalar() if riskd_version.name in tables else None
    if said is None and marked == 0 and tables & metadata.tables.keys():
        raise ConfigError(f"{name}: has tables but is no store of riskd; give an empty one")
    version = max(marked, int(said or 0))
    if version > VERSION:
        raise ConfigError(f"{name}: store version {version} is newer than {VERSION}; run the riskd that wrote it")
    return version


def bring_up(connection: Connection, name: str, keep: Callable[[int], None]) -> None:
    """Make the store the newest version, within the transaction of ``connection``.

    ``keep`` is told the old version before an older store is touched, to keep a copy.
    """
    version = version_of(connection, name)
    if version == VERSION:
        return
    if version:
        keep(version)
        migrate(connection, version)
    else:
        metadata.create_all(connection)
        connection.execute(insert(riskd_version).values(version_num=str(VERSION)))
    if connection.dialect.name == "sqlite":
        # What riskd 0.1.0 looks at, so that it refuses this store instead of writing into it.
        connection.execute(text(f"PRAGMA user_version = {VERSION}"))


def migrate(connection: Connection, version: int, target: str = "head") -> None:
    """From ``version`` (0: nothing) to ``target``, by Alembic, whose scripts lie beside this file."""
    from alembic import command  # here, because only the first start after an update needs it
    from alembic.config import Config

    config = Config(attributes={"connection": connection, "version_table": riskd_version.name})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    if version == 1:
        command.stamp(config, "1")  # riskd 0.1.0 did not know of Alembic
    command.upgrade(config, target)
