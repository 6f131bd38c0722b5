"""Small things that must outlive a restart: a source's back-off, a feed's health."""

import json
from typing import Any

from sqlalchemy import delete, insert, select

from riskd.store.database import Database
from riskd.store.schema import note


class Notes:
    """One JSON value a key."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, key: str) -> Any:
        """What was last put; None if nothing was."""
        with self._database.begin(reading=True) as connection:
            text = connection.execute(select(note.c.value).where(note.c.key == key)).scalar()
        return None if text is None else json.loads(text)

    def put(self, key: str, value: object) -> None:
        """``value`` must be something JSON can hold; NaN is not."""
        text = json.dumps(value, allow_nan=False, sort_keys=True)
        with self._database.begin() as connection:
            connection.execute(delete(note).where(note.c.key == key))
            connection.execute(insert(note).values(key=key, value=text, at=self._database.now()))
