"""The page and the read-only API."""
