"""Cao, Wang and Lin's risk-aware deep allocation: a network whose output is a portfolio, and what it has to beat."""
