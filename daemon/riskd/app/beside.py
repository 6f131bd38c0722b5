"""The store beside a daemon, for verbs that look and leave: it loads neither feeds nor models, so that they answer at once."""

from riskd.runtime.clock import SystemClock
from riskd.settings import Settings
from riskd.store.database import Database, open_decisions


def store_beside(settings: Settings) -> Database:
    """The store to look into while a daemon may be running; only decisions may be written."""
    service = settings.service
    return open_decisions(service.database or service.state, SystemClock().now, service.database_password())
