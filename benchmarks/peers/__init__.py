"""Other people's optimisers on the same problems: each in a process of its own, one thread, bounded in time and memory."""
