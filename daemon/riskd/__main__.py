"""``python -m riskd`` is the command ``riskd``."""

from riskd.cli import app

app()
