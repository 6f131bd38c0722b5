"""The walk-forward study: every forecast of a book of prices from what was known the session before, judged by proper scores."""
