"""What riskd tells a reader of one session: what changed, why, what to do, as JSON and as one HTML page."""
