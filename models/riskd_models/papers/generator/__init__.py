"""Kumar Shivam's generator under a limit on CVaR: the walk-forward figure, and what its losses came to."""
