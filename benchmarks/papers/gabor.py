"""How Gabor-like filters are: the best fit of a Gabor function to each, and how much of it that explains."""

from __future__ import annotations

import numpy as np

STARTS = ((0.25, 0.0), (0.25, np.pi / 2))  # (width in sides, phase) tried for each peak
PEAKS = 2  # of the filter's spectrum, from which frequency and direction are tried
FITS, LOCAL = 0.5, 0.5  # R² from which a filter counts; widths in sides up to which it is local


def gabor(parameters: np.ndarray, side: int) -> np.ndarray:
    """A Gabor function as a filter (side²,) of amplitude 1.

    parameters: centre x, y; widths σ along and across the wave; direction in radians; frequency in cycles a pixel;
    phase. All lengths in pixels.
    """
    x0, y0, along, across, angle, frequency, phase = parameters
    y, x = np.mgrid[:side, :side].reshape(2, -1).astype(float)
    u = (x - x0) * np.cos(angle) + (y - y0) * np.sin(angle)
    v = -(x - x0) * np.sin(angle) + (y - y0) * np.cos(angle)
    return np.exp(-(u**2) / (2 * along**2) - v**2 / (2 * across**2)) * np.cos(2 * np.pi * frequency * u + phase)


def fit(weights: np.ndarray, side: int) -> tuple[float, np.ndarray]:
    """R² (0 to 1) of the best Gabor function, amplitude and offset free, and its parameters, for a filter (side²,)."""
    from scipy.optimize import least_squares

    target = weights - weights.mean()
    total = float(target @ target)
    if total < 1e-20:
        return 0.0, np.zeros(7)
    low = [-1, -1, 0.5, 0.5, -2 * np.pi, 0.02, -2 * np.pi]
    high = [side, side, 2 * side, 2 * side, 2 * np.pi, 0.5, 2 * np.pi]

    def missed(parameters: np.ndarray) -> np.ndarray:
        wave = gabor(parameters, side)
        wave = wave - wave.mean()
        return target - wave * (wave @ target) / max(float(wave @ wave), 1e-12)  # the best amplitude is known

    best, found = 0.0, np.zeros(7)
    heaviest = np.abs(target).reshape(side, side) ** 2
    y0, x0 = (float((heaviest.sum(1 - axis) @ np.arange(side)) / heaviest.sum()) for axis in (0, 1))
    for frequency, angle in _peaks(target, side):
        for width, phase in STARTS:
            start = [x0, y0, width * side, width * side, angle, frequency, phase]
            result = least_squares(missed, np.clip(start, low, high), bounds=(low, high), max_nfev=40)
            if (score := 1 - 2 * result.cost / total) > best:
                best, found = float(score), result.x
    return best, found


def _peaks(target: np.ndarray, side: int) -> list[tuple[float, float]]:
    """Frequency and direction of the strongest places of the filter's spectrum."""
    size = 4 * side
    power = abs(np.fft.rfft2(target.reshape(side, side), (size, size)))
    fy, fx = np.meshgrid(np.fft.fftfreq(size), np.fft.rfftfreq(size), indexing="ij")
    frequency, peaks = np.hypot(fy, fx), []
    power[frequency > 0.5] = 0
    for _ in range(PEAKS):
        place = np.unravel_index(power.argmax(), power.shape)
        peaks.append((max(float(frequency[place]), 0.03), float(np.arctan2(fy[place], fx[place]))))
        power[np.hypot(fy - fy[place], fx - fx[place]) < 1 / side] = 0
    return peaks


def is_edge(r2: float, parameters: np.ndarray, side: int) -> bool:
    """Whether a fit is that of a local oriented edge: R² above 0.5, narrow along its wave, and a wave at all.

    Narrow: σ across the stripes at most half the side. A wave: at least a quarter of a cycle within σ on both sides,
    below which a Gabor function is a blob.
    """
    along, frequency = parameters[2], parameters[5]
    return r2 > FITS and along <= LOCAL * side and 2 * along * frequency >= 0.25


def share_of_edges(weights: np.ndarray, side: int) -> tuple[float, np.ndarray]:
    """The share of filters (m, side²) that are local oriented edges, and R² of each."""
    fits = [fit(one, side) for one in weights.astype(np.float64)]
    edges = [is_edge(*one, side) for one in fits]
    return float(np.mean(edges)), np.array([r2 for r2, _ in fits])
