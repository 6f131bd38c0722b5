"""GJR-GARCH(1,1) with Student t innovations, fitted by maximum likelihood in plain numpy.

    r_t = mu + e_t,   e_t = sigma_t z_t,   z_t ~ t_nu with unit variance
    sigma_t^2 = omega + (alpha + gamma 1{e_{t-1} < 0}) e_{t-1}^2 + beta sigma_{t-1}^2

Sources: L. Glosten, R. Jagannathan, D. Runkle, J. Finance 48 (1993); T. Bollerslev, Rev. Economics and Statistics 69 (1987).
"""

from dataclasses import astuple, dataclass, replace

import numpy as np
from scipy.optimize import minimize
from scipy.signal import lfilter
from scipy.special import digamma, gammaln

from riskd.core.arrays import Floats

LEAST = 250  # returns; fewer are not fitted
LARGEST_SQUARE = 100.0  # a squared shock moves the variance as if it were at most this many variances: one crash is no new world
MOST_PERSISTENT = 0.9999  # of alpha + gamma / 2 + beta
LEAST_DOF = 2.2
BACKCAST = 75  # returns whose mean square stands for the variance before the first
START = np.array([0.0, 0.02, 0.03, 0.1, 0.92, 6.0])  # mu, omega, alpha, alpha + gamma, beta, nu of returns with unit variance
BOUNDS = ((-0.5, 0.5), (1e-6, 5.0), (0.0, 1.0), (0.0, 1.5), (0.0, 0.9999), (2.05, 200.0))
SYMMETRIC = (0, 1, 2, 2, 3, 4)  # one number for alpha and alpha + gamma


@dataclass(frozen=True, slots=True)
class Gjr:
    """Parameters in units of log returns; ``fitted`` is False where the likelihood had no usable maximum: defaults stand in."""

    mu: float
    omega: float
    alpha: float
    gamma: float
    beta: float
    nu: float
    fitted: bool = True

    def row(self) -> Floats:
        """The parameters as an array (7,), and back by :func:`gjr_of`."""
        return np.array(astuple(self), dtype=np.float64)

    def filtered(self, log_returns: Floats) -> tuple[Floats, float]:
        """Residuals z_t (T,), each by what was known before it, and sigma of the next return; ``log_returns`` (T,)."""
        e = log_returns - self.mu
        square = e * e
        weight = self.alpha + self.gamma * (e < 0)
        variance = _variances(self.omega + weight * square, self.beta, _backcast(e))
        while (square > LARGEST_SQUARE * variance[:-1] * (1 + 1e-9)).any():  # from the first such shock on
            first = int(np.argmax(square > LARGEST_SQUARE * variance[:-1] * (1 + 1e-9)))
            square[first] = LARGEST_SQUARE * variance[first]
            variance = _variances(self.omega + weight * square, self.beta, variance[0])
        return e / np.sqrt(variance[:-1]), float(np.sqrt(variance[-1]))

    def steadied(self, z: Floats) -> "Gjr":
        """The same where paths that draw from the residuals ``z`` (S,) keep their level, else with weaker reactions to shocks.

        On such paths a variance is followed in the mean by one E[(alpha + gamma 1{z < 0}) z^2] + beta times as large, which the
        fit bounds for innovations of unit variance alone. Where they are larger, alpha and gamma shrink until the bound holds.
        """
        square = np.minimum(z * z, LARGEST_SQUARE)
        reaction = float(np.mean((self.alpha + self.gamma * (z < 0)) * square))
        if reaction + self.beta <= MOST_PERSISTENT:
            return self
        share = (MOST_PERSISTENT - self.beta) / reaction
        return replace(self, alpha=share * self.alpha, gamma=share * self.gamma)

    def simulated(self, sigma: float, z: Floats) -> Floats:
        """Log returns (H, M) of paths with innovations ``z`` (H, M) whose first standard deviation is ``sigma``."""
        r = np.empty_like(z)
        variance: Floats = np.full(z.shape[1], sigma * sigma)
        for day, innovation in enumerate(z):
            e = np.sqrt(variance) * innovation
            r[day] = self.mu + e
            square = np.minimum(innovation**2, LARGEST_SQUARE) * variance
            variance = self.omega + (self.alpha + self.gamma * (e < 0)) * square + self.beta * variance
        return r


def gjr_of(row: Floats) -> Gjr:
    """The inverse of :meth:`Gjr.row`."""
    mu, omega, alpha, gamma, beta, nu, fitted = (float(x) for x in row)
    return Gjr(mu, omega, alpha, gamma, beta, nu, bool(fitted))


def fit_gjr(log_returns: Floats, leverage: bool = True) -> Gjr:
    """Maximum likelihood on ``log_returns`` (T,); a function of them alone, so that every refit can be repeated.

    Without ``leverage`` gamma is zero: the plain GARCH(1,1)-t. Where there are fewer than :data:`LEAST` returns, or the optimum
    is not stationary, not finite or has fewer than 2.2 degrees of freedom, the fixed parameters of :func:`untrained` are given.
    """
    scale = float(log_returns.std()) if len(log_returns) else 0.0
    if len(log_returns) < LEAST or not np.isfinite(scale) or scale < 1e-10:
        return untrained(log_returns)
    x = log_returns / scale
    places = np.arange(6) if leverage else np.array(SYMMETRIC)
    free = len(set(places.tolist()))
    first = [int(np.flatnonzero(places == i)[0]) for i in range(free)]
    spread = np.bincount(places, weights=[0, 0, 0.5, 0.5, 1, 0], minlength=free)  # persistence is spread @ theta

    def loss(theta: Floats) -> tuple[float, Floats]:
        value, slope = _negative_log_likelihood(x, theta[places])
        return value, np.bincount(places, weights=slope, minlength=free).astype(np.float64)

    with np.errstate(all="ignore"):  # a trial step may leave the region; its value is then not finite and refused
        best = minimize(
            loss,
            START[first],
            jac=True,
            method="SLSQP",
            bounds=[BOUNDS[i] for i in first],
            constraints={"type": "ineq", "fun": lambda t: MOST_PERSISTENT - spread @ t, "jac": lambda t: -spread},
            options={"maxiter": 200, "ftol": 1e-9},
        )
    return _checked(best.x[places], best.fun, scale, log_returns)


def untrained(log_returns: Floats) -> Gjr:
    """Fixed parameters with the variance of ``log_returns`` as the long-run one: a reaction like RiskMetrics with leverage."""
    variance = float(np.mean(log_returns**2)) if len(log_returns) else 0.0
    return Gjr(0.0, 0.015 * variance + 1e-14, 0.025, 0.07, 0.925, 6.0, fitted=False)


def _checked(theta: Floats, value: float, scale: float, log_returns: Floats) -> Gjr:
    mu, omega, plus, minus, beta, nu = (float(t) for t in theta)
    stable = (plus + minus) / 2 + beta <= MOST_PERSISTENT + 1e-9 and nu >= LEAST_DOF
    if not (np.isfinite(theta).all() and np.isfinite(value) and stable):
        return untrained(log_returns)
    return Gjr(mu * scale, omega * scale**2, plus, minus - plus, beta, nu)


def _backcast(e: Floats) -> float:
    return float(np.mean(e[:BACKCAST] ** 2)) + 1e-14


def _variances(shocks: Floats, beta: float, before: float) -> Floats:
    """sigma^2 (T + 1,): ``before``, then each from the shock before it."""
    later, _ = lfilter([1.0], [1.0, -beta], shocks, zi=[beta * before])
    return np.concatenate([[before], later])


def _negative_log_likelihood(x: Floats, theta: Floats) -> tuple[float, Floats]:
    """Mean -log f(x_t | past) and its gradient (6,); theta is mu, omega, alpha, alpha + gamma, beta, nu."""
    mu, omega, plus, minus, beta, nu = theta
    e = x - mu
    fell = e < 0
    square, weight = e * e, np.where(fell, minus, plus)
    before = _backcast(e)
    s = _variances(omega + weight * square, beta, before)[:-1]  # (T,)
    q = square / (s * (nu - 2))
    density = gammaln((nu + 1) / 2) - gammaln(nu / 2) - 0.5 * np.log(np.pi * (nu - 2))
    value = -density + np.mean(0.5 * np.log(s) + 0.5 * (nu + 1) * np.log1p(q))
    by_s = 0.5 / s * (1 - (nu + 1) * q / (1 + q))  # d value_t / d sigma_t^2
    by_e = (nu + 1) * e / (s * (nu - 2) + square)
    slopes = np.stack([-2 * weight * e, np.ones_like(e), square * ~fell, square * fell, s])[:, :-1]
    first = np.array([-2 * e[:BACKCAST].mean(), 0.0, 0.0, 0.0, 0.0])[:, None]  # of the backcast
    later, _ = lfilter([1.0], [1.0, -beta], slopes, axis=1, zi=beta * first)
    by_theta = np.concatenate([first, later], axis=1) @ by_s
    by_theta[0] -= by_e.sum()
    by_nu = np.mean(0.5 * np.log1p(q) - 0.5 * (nu + 1) * q / ((1 + q) * (nu - 2)))
    by_nu -= 0.5 * digamma((nu + 1) / 2) - 0.5 * digamma(nu / 2) - 0.5 / (nu - 2)
    return float(value), np.append(by_theta / len(x), by_nu)
