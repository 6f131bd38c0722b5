"""The laboratory: a table of forecasts and what really happened, judged and reported."""
