# SPDX-License-Identifier: GPL-3.0-or-later
"""How near restored low-loss spectra are to the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .peaks import MatchedPeaks, match_peaks

__all__ = ["Scores", "interval_coverage", "loss_region", "score"]

#: A peak rises by this share of the highest loss intensity of the truth ...
PEAK_PROMINENCE = 0.02
#: ... and at least by this share of all electrons (which rules in a vacuum).
LEAST_PROMINENCE = 1e-6


@dataclass(frozen=True, eq=False)
class Scores:
    """Figures of each spectrum, and of all together.

    Parameters
    ----------
    nmse : ndarray, shape (n_spectra,)
        Squared errors of the loss region over the squares of the truth; NaN where the
        truth has no loss.
    angle : ndarray, shape (n_spectra,)
        Angle between estimate and truth in the loss region, rad.
    excess : ndarray, shape (n_spectra,)
        Electrons too many (or, negative, too few) in the loss region, over all.
    total_variation : ndarray, shape (n_spectra,)
        Of the loss region, over that of the truth.
    negative : ndarray, shape (n_spectra,)
        Share of channels below zero.
    zero_loss_width : ndarray, shape (n_spectra,)
        FWHM of the estimate's zero-loss peak, channels.
    peaks : tuple of `MatchedPeaks`
        Of each spectrum.
    """

    nmse: np.ndarray
    angle: np.ndarray
    excess: np.ndarray
    total_variation: np.ndarray
    negative: np.ndarray
    zero_loss_width: np.ndarray
    peaks: tuple[MatchedPeaks, ...]

    @property
    def recall(self) -> float:
        """Share of the true peaks that were found."""
        return _ratio(self._matched, sum(p.n_truth for p in self.peaks))

    @property
    def precision(self) -> float:
        """Share of the peaks found that are true."""
        return _ratio(self._matched, sum(p.n_found for p in self.peaks))

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, from the counts of all spectra."""
        both = sum(p.n_truth + p.n_found for p in self.peaks)
        return _ratio(2 * self._matched, both)

    @property
    def false_peaks(self) -> float:
        """Peaks per spectrum that are not in the truth."""
        return float(np.mean([p.n_false for p in self.peaks]))

    @property
    def area_error(self) -> float:
        """Median of the absolute relative errors of the areas of matched peaks."""
        return _median(np.abs(self._all("area_error")))

    @property
    def position_error(self) -> float:
        """Median of the absolute errors of position of matched peaks, channels."""
        return _median(np.abs(self._all("position_error")))

    @property
    def width_ratio(self) -> float:
        """Median of the widths of matched peaks over the true ones."""
        return _median(self._all("width_ratio"))

    def summary(self) -> dict[str, float]:
        """The figures of the whole set by name.

        Returns
        -------
        dict of str to float
            Means over the spectra, but for the medians that are called so and the
            peaks, which are counted together.
        """
        return {
            "nmse": _mean(self.nmse),
            "median_nmse": _median(self.nmse[np.isfinite(self.nmse)]),
            "angle": _mean(self.angle),
            "precision": self.precision,
            "recall": self.recall,
            "f1": self.f1,
            "false_peaks": self.false_peaks,
            "position_error": self.position_error,
            "area_error": self.area_error,
            "width_ratio": self.width_ratio,
            "excess": _mean(self.excess),
            "total_variation": _mean(self.total_variation),
            "negative": _mean(self.negative),
            "zero_loss_width": _mean(self.zero_loss_width),
        }

    @property
    def _matched(self) -> int:
        return sum(p.n_matched for p in self.peaks)

    def _all(self, name: str) -> np.ndarray:
        return np.concatenate([np.zeros(0), *(getattr(p, name) for p in self.peaks)])


def loss_region(fwhm: float, zero_channel: float) -> int:
    """First channel beyond half the response's width past the zero loss.

    Parameters
    ----------
    fwhm : float
        Of the response, channels.
    zero_channel : float
        Where 0 eV lies.

    Returns
    -------
    int
    """
    return int(np.ceil(zero_channel + fwhm / 2))


def score(
    estimates: np.ndarray,
    truth: np.ndarray,
    fwhm: np.ndarray | float,
    zero_channel: float,
    *,
    prominence: float = PEAK_PROMINENCE,
) -> Scores:
    """Compare restored spectra with what they should be.

    Peaks of truth and estimate are found by one rule: they rise above their
    surroundings by a share `prominence` of the highest loss intensity of the truth.

    Parameters
    ----------
    estimates, truth : ndarray, shape (n_spectra, n_channels)
        Electrons per channel, by the response that is aimed at and with the zero loss
        at `zero_channel`. Channels that are NaN count as empty.
    fwhm : float or ndarray, shape (n_spectra,)
        Width of the response that was removed, channels: the loss region begins at
        half of it past the zero loss.
    zero_channel : float
    prominence : float, default 0.02

    Returns
    -------
    Scores

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    estimates, truth = np.asarray(estimates, float), np.asarray(truth, float)
    if estimates.shape != truth.shape or truth.ndim != 2:
        raise ValueError(
            f"`estimates` has the shape {estimates.shape}, `truth` {truth.shape}; give "
            "the same spectra, (n_spectra, n_channels), in both."
        )
    estimates = np.nan_to_num(estimates, nan=0.0, posinf=0.0, neginf=0.0)
    widths = np.broadcast_to(np.asarray(fwhm, float), len(truth))
    rows, peaks = [], []
    for estimate, true, width in zip(estimates, truth, widths, strict=True):
        first = min(loss_region(width, zero_channel), true.size - 2)
        rows.append(_figures(estimate, true, first, zero_channel))
        least = max(prominence * true[first:].max(), LEAST_PROMINENCE * true.sum())
        peaks.append(match_peaks(estimate, true, first, least))
    return Scores(*np.array(rows).reshape(-1, 6).T, tuple(peaks))


def _figures(
    estimate: np.ndarray, truth: np.ndarray, first: int, zero_channel: float
) -> tuple[float, ...]:
    mine, true = estimate[first:], truth[first:]
    energy = true @ true
    lossless = energy <= (LEAST_PROMINENCE * truth.sum()) ** 2
    length = np.sqrt(energy * (mine @ mine))
    return (
        np.nan if lossless else (mine - true) @ (mine - true) / energy,
        np.arccos(np.clip(mine @ true / length, -1, 1)) if length > 0 else np.nan,
        (mine.sum() - true.sum()) / truth.sum(),
        _ratio(np.abs(np.diff(mine)).sum(), np.abs(np.diff(true)).sum()),
        np.mean(estimate < 0),
        _zero_loss_width(estimate, zero_channel),
    )


def _zero_loss_width(spectrum: np.ndarray, zero_channel: float) -> float:
    """Distance of the half heights beside the highest channel near the zero loss."""
    reach = 20
    low = max(int(zero_channel) - reach, 0)
    top = low + int(spectrum[low : int(zero_channel) + reach].argmax())
    half = spectrum[top] / 2
    if not half > 0:
        return np.nan
    ends = []
    for side in (spectrum[top:], spectrum[top::-1]):
        below = np.flatnonzero(side < half)
        if not below.size:
            return np.nan
        k = below[0]
        ends.append(k - 1 + (side[k - 1] - half) / (side[k - 1] - side[k]))
    return float(sum(ends))


def interval_coverage(
    estimates: np.ndarray, errors: np.ndarray, truth: np.ndarray, width: float
) -> np.ndarray:
    """Share of channels of which the interval holds the truth.

    Parameters
    ----------
    estimates, errors, truth : ndarray, shape (n_spectra, n_channels)
        Standard errors must not be negative.
    width : float
        Half the interval, in standard errors: 1 for 68 %, 1.96 for 95 %.

    Returns
    -------
    ndarray, shape (n_spectra,)
    """
    return np.mean(np.abs(estimates - truth) <= width * errors, axis=1)


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else np.nan


def _mean(values: np.ndarray) -> float:
    kept = values[np.isfinite(values)]
    return float(kept.mean()) if kept.size else np.nan


def _median(values: np.ndarray) -> float:
    return float(np.median(values)) if values.size else np.nan
