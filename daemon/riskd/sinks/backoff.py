"""How long to wait before the next try: exponential, capped, with full jitter so that clients do not return together."""

BASE_SECONDS = 1.0
CAP_SECONDS = 60.0


def full_jitter(attempt: int, draw: float, base: float = BASE_SECONDS, cap: float = CAP_SECONDS) -> float:
    """draw * min(cap, base * 2**attempt) in seconds; ``draw`` is uniform on [0, 1), ``attempt`` counts from 0.

    Source: M. Brooker, Exponential Backoff and Jitter, AWS Architecture Blog (2015), "full jitter".
    """
    return draw * min(cap, base * 2.0 ** min(attempt, 32))
