"""Risk measures of a loss sample, one file each; formulae in the docstrings."""
