"""Weights that respect CVaR limits: the problem, a general solver, and the verified proposal."""
