"""The judge of risk forecasts: what was forecast beside what happened, in losses (positive = loss)."""
