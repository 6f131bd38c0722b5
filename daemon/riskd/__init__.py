"""riskd watches the risk of investment portfolios, day and night."""

__version__ = "0.1.0"
