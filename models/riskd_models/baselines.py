"""What the network has to beat: an EWMA-normal and a GJR-GARCH with Student t, each fitted to its own asset."""

from dataclasses import dataclass

import numpy as np
from arch import arch_model
from scipy import stats
from scipy.signal import lfilter

from riskd.core.arrays import Floats
from riskd_models.recipe import Evaluation

PERCENT = 100.0  # arch fits percent returns


@dataclass(frozen=True, slots=True, eq=False)
class Normal:
    """N(0, scale^2), one per session and asset."""

    scale: Floats

    def log_density(self, log_returns: Floats) -> Floats:
        return np.asarray(stats.norm.logpdf(log_returns, scale=self.scale))

    def quantile(self, probability: float) -> Floats:
        return self.scale * float(stats.norm.ppf(probability))

    def lower_mean(self, probability: float) -> Floats:
        """E[r | r <= quantile] = -scale phi(q) / p."""
        return -self.scale * float(stats.norm.pdf(stats.norm.ppf(probability))) / probability


@dataclass(frozen=True, slots=True, eq=False)
class StudentT:
    """Student t with mean and standard deviation given, one per session and asset."""

    mean: Floats
    deviation: Floats
    freedom: Floats  # > 2

    @property
    def scale(self) -> Floats:
        return self.deviation * np.sqrt((self.freedom - 2) / self.freedom)

    def log_density(self, log_returns: Floats) -> Floats:
        return np.asarray(stats.t.logpdf(log_returns, self.freedom, self.mean, self.scale))

    def quantile(self, probability: float) -> Floats:
        return np.asarray(stats.t.ppf(probability, self.freedom, self.mean, self.scale))

    def lower_mean(self, probability: float) -> Floats:
        """mean - scale f(q) / p (nu + q^2) / (nu - 1)."""
        q = stats.t.ppf(probability, self.freedom)
        tail = stats.t.pdf(q, self.freedom) / probability * (self.freedom + q**2) / (self.freedom - 1)
        return np.asarray(self.mean - self.scale * tail)


def ewma_normal(returns: Floats, keep: float, first: int) -> Normal:
    """Forecasts for rows ``first`` and later of ``returns`` (sessions, assets), each from earlier rows alone."""
    start = returns[:60].var(axis=0)
    variance = lfilter([1 - keep], [1, -keep], returns**2, axis=0, zi=keep * start[None])[0]
    return Normal(np.sqrt(variance[first - 1 : -1]))


def gjr_t(returns: Floats, numbers: Evaluation, first: int) -> StudentT:
    """Forecasts for rows ``first`` and later of ``returns`` (sessions, assets), refitted every ``refit`` rows."""
    columns = [gjr_t_of(returns[:, i], numbers, first) for i in range(returns.shape[1])]
    mean, deviation, freedom = (np.stack(parts, axis=1) for parts in zip(*columns, strict=True))
    return StudentT(mean, deviation, freedom)


def gjr_t_of(returns: Floats, numbers: Evaluation, first: int) -> tuple[Floats, Floats, Floats]:
    """Mean, standard deviation and degrees of freedom of one asset's forecasts."""
    parts = []
    for begin in range(first, len(returns), numbers.refit):
        rows = returns[max(0, begin - numbers.fit_window) : begin + numbers.refit] * PERCENT
        known = min(begin, numbers.fit_window)
        model = arch_model(rows[:known], mean="Constant", vol="GARCH", p=1, o=1, q=1, dist="t", rescale=False)
        fit = model.fit(disp="off", show_warning=False).params.to_numpy()
        deviation = gjr_deviation(rows, fit)[known:]
        parts.append(np.stack([np.full_like(deviation, fit[0]), deviation, np.full_like(deviation, fit[5])]))
    mean, deviation, freedom = np.concatenate(parts, axis=1)
    return mean / PERCENT, deviation / PERCENT, freedom


def gjr_deviation(rows: Floats, fit: Floats) -> Floats:
    """Standard deviation of each row given the rows before it; fit is mu, omega, alpha, gamma, beta, nu."""
    mu, omega, alpha, gamma, beta = fit[:5]
    residual = rows - mu
    variance = np.empty_like(rows)
    variance[0] = residual.var()
    for t in range(1, len(rows)):
        e = residual[t - 1]
        variance[t] = omega + (alpha + gamma * (e < 0)) * e * e + beta * variance[t - 1]
    return np.sqrt(variance)
