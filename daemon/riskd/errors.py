"""Every error of riskd, named by what happens next."""


class RiskdError(Exception):
    """Root of the errors that riskd expects; anything else is a bug and crashes with the checkpoint intact."""


class ConfigError(RiskdError):
    """The configuration cannot be used; the command exits with 78 and systemd does not restart it.

    The message is one line: file, key, value, what to do.
    """


class DataError(RiskdError):
    """A source of prices is unusable; that feed alone backs off and the last good table stays."""


class ModelError(RiskdError):
    """A forecaster is missing, corrupt or gave a number that cannot be used; no figure is published from it."""


class InfeasibleError(RiskdError):
    """No weights satisfy the constraints; current holdings stay and the least achievable CVaR is reported."""

    def __init__(self, message: str, least_cvar: float | None = None) -> None:
        super().__init__(message)
        self.least_cvar = least_cvar


class SolverError(RiskdError):
    """A solver failed or its answer did not verify; the next one in the ladder is tried."""


class DeliveryError(RiskdError):
    """A sink did not take a message; the outbox backs off, or parks it when ``permanent``."""

    def __init__(self, message: str, permanent: bool = False) -> None:
        super().__init__(message)
        self.permanent = permanent


class BusyError(RiskdError):
    """Another riskd holds the store; the command exits with 73."""


class StoreError(RiskdError):
    """The database server does not answer or went away; nothing is half kept, and starting again finds out what is."""


class StoreFull(StoreError):
    """The store has no room or may not be written; a restart cannot mend it, so the daemon goes on and tries again."""
