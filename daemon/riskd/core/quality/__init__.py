"""Which prices may be used: pure rules that judge what was heard, and never change it."""
