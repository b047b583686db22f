# SPDX-License-Identifier: GPL-3.0-or-later
r"""The likelihood of a spectrum under a model that is not exact.

With enough counts every model is wrong: of ten million counts in a peak, the tail
that a Gaussian does not have is a hundred standard deviations, and would be taken for
another element. So the log-likelihood of a channel is weighted with

.. math:: f = \frac{1}{1 + s^2 / n}, \quad s = \sum_k \epsilon_k n_k

for `n` counts in the strongest peak nearby, of which the model gives :math:`n_k` to a
family of lines whose shape has a relative error :math:`\epsilon_k`: counts are then as
uncertain as the model's error and counting make them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from hspy_ml.counts import DenseCounts
from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.depth_response import depth_response
from hspy_ml.physics.detector import make_detector, resolution
from hspy_ml.physics.specimen import Specimen
from hspy_ml.physics.xray_columns import continuum_columns

from .weights import fit_weights

__all__ = ["TemperedFit", "TemperedSpectrum", "continuum_shapes", "tempered_spectrum"]

#: Relative errors of the shape of a family: the ratios of its lines.
RELATIVE_ERROR = {"K": 0.025, "L": 0.10, "M": 0.30}
#: Of all counts at higher energies, what may lie within a resolution without the model
#: knowing: shelves of peaks, and the continuum's shape.
SHELF = 3e-4
# So many resolutions below and above a strong peak the model is uncertain: more below,
# where the charge that was not collected puts its counts.
BELOW, ABOVE = 2.5, 1.5
STEPS_PER_RESOLUTION = 8
WINDOWS = ("windowless", "polymer", "beryllium")
CONTINUUM_DEGREE = 4
CHANNEL_WIDTH_KEV = 0.02
SOFT_KEV = 1.0
SMALL = 1e-6


@dataclass(frozen=True, eq=False)
class TemperedFit:
    """Weights of the columns, and how likely they make the spectrum.

    Parameters
    ----------
    weights : ndarray, shape (n_columns,)
        Of the columns that were given.
    model : ndarray, shape (n_channels,)
        Background included.
    log_likelihood : float
        Up to a constant of the spectrum.
    """

    weights: np.ndarray
    model: np.ndarray
    log_likelihood: float


@dataclass(frozen=True, eq=False)
class TemperedSpectrum:
    """Counts, how much each channel is trusted, and what is always in the model.

    Parameters
    ----------
    counts : ndarray, shape (n_channels,)
    trust : ndarray, shape (n_channels,)
        Between 0 and 1.
    background : ndarray, shape (n_channels, n_columns)
        Continuum behind several windows, and pile-up.
    acquisition : Acquisition
        With the energies of these channels.
    """

    counts: np.ndarray
    trust: np.ndarray
    background: np.ndarray
    acquisition: Acquisition

    def fit(self, columns: np.ndarray) -> TemperedFit:
        """Find the weights that are most likely.

        Parameters
        ----------
        columns : ndarray, shape (n_channels, n_columns)
            Of the elements; the background is added to them.

        Returns
        -------
        TemperedFit
        """
        matrix = np.column_stack([columns, self.background])
        trusted = DenseCounts((self.trust * self.counts)[None])
        believed = self.trust[:, None] * matrix
        seen = believed.sum(axis=0) > 0
        fit = fit_weights(trusted, believed[:, seen], num_workers=1)
        weights = np.zeros(seen.size)
        weights[seen] = fit.weights[0]
        return TemperedFit(
            weights[: columns.shape[1]], matrix @ weights, -0.5 * float(fit.deviance[0])
        )

    def trusting(self, families: Mapping[str, np.ndarray]) -> TemperedSpectrum:
        """The same with what is now known about the peaks.

        Parameters
        ----------
        families : mapping of str to ndarray, shape (n_channels,)
            Counts that the model gives to lines of "L" and "M" families; the others
            count as "K".

        Returns
        -------
        TemperedSpectrum
        """
        errors = RELATIVE_ERROR["K"] * self.counts
        for family, counts in families.items():
            errors = errors + (RELATIVE_ERROR[family] - RELATIVE_ERROR["K"]) * counts
        trust = _trust(self.counts, errors, self.acquisition)
        return replace(self, trust=np.where(self.trust > 0, trust, 0))

    def approximate_gains(
        self, fit: TemperedFit, columns: np.ndarray, candidates: np.ndarray
    ) -> np.ndarray:
        r"""How much each further column alone would raise the log-likelihood.

        The score test (Rao 1948): :math:`g^2 / 2 i`, with the information `i` that
        the columns already there leave.

        Parameters
        ----------
        fit : TemperedFit
        columns : ndarray, shape (n_channels, n_columns)
            Those that were fitted.
        candidates : ndarray, shape (n_channels, n_candidates)

        Returns
        -------
        ndarray, shape (n_candidates,)
            Zero where the column would have to be subtracted.
        """
        present = np.column_stack([columns, self.background])
        model = np.maximum(fit.model, 1e-12 * fit.model.max())
        root = np.sqrt(self.trust / model)[:, None]
        basis = root * present
        basis /= np.sqrt(np.maximum((basis**2).sum(axis=0), 1e-300))
        further = root * candidates
        further /= np.sqrt(np.maximum((further**2).sum(axis=0), 1e-300))
        common = np.einsum("ek,ec->kc", basis, further)
        metric = np.einsum("ek,el->kl", basis, basis) + SMALL * np.eye(len(common))
        information = 1 - (common * np.linalg.solve(metric, common)).sum(axis=0)
        score = further.T @ (root[:, 0] * (self.counts - fit.model))
        return np.maximum(score, 0) ** 2 / (2 * np.maximum(information, SMALL))


def tempered_spectrum(
    counts: np.ndarray, acquisition: Acquisition, specimen: Specimen
) -> TemperedSpectrum:
    """Prepare a spectrum for the search of elements.

    Parameters
    ----------
    counts : ndarray, shape (n_channels,)
        All pixels together; NaN in channels that are not used.
    acquisition : Acquisition
        With a detector.
    specimen : Specimen
        What absorbs the continuum.

    Returns
    -------
    TemperedSpectrum
        Channels merged to 20 eV, and without those of NaN.
    """
    merged, acquisition = _merged(counts, acquisition)
    used = np.isfinite(merged)
    y = np.where(used, merged, 0)
    trust = _trust(y, RELATIVE_ERROR["K"] * y, acquisition)
    background = np.column_stack(
        [continuum_shapes(acquisition, specimen), _pile_up(y, acquisition)]
    )
    background = background[:, background[used].sum(axis=0) > 0]
    return TemperedSpectrum(y, np.where(used, trust, 0), background, acquisition)


def _merged(
    counts: np.ndarray, acquisition: Acquisition
) -> tuple[np.ndarray, Acquisition]:
    factor = max(1, int(CHANNEL_WIDTH_KEV / acquisition.channel_width + 1e-6))
    n_channels = counts.size // factor
    merged = counts[: n_channels * factor].reshape(n_channels, factor).sum(axis=1)
    energy = acquisition.energy[: n_channels * factor].reshape(n_channels, factor)
    return merged, replace(acquisition, energy=energy.mean(axis=1))


def _trust(
    counts: np.ndarray, errors: np.ndarray, acquisition: Acquisition
) -> np.ndarray:
    """Given counts, and counts times their relative errors, in each channel."""
    width = resolution(acquisition.detector, acquisition.energy)
    place = np.cumsum(acquisition.channel_width / width)  # in resolutions
    grid = np.arange(place[0], place[-1], 1 / STEPS_PER_RESOLUTION)
    before, after = (round(n * STEPS_PER_RESOLUTION) for n in (BELOW, ABOVE))

    def nearby(values: np.ndarray) -> np.ndarray:
        total = np.interp([grid - 0.5, grid + 0.5], place, np.cumsum(values))
        padded = np.pad(total[1] - total[0], (after, before))
        windows = np.lib.stride_tricks.sliding_window_view(padded, before + after + 1)
        return np.interp(place, grid, windows.max(axis=1))

    counting = np.maximum(nearby(counts), 1.0)
    shelf = SHELF * np.cumsum(counts[::-1])[::-1]
    return 1 / (1 + (nearby(errors) ** 2 + shelf**2) / counting)


def continuum_shapes(acquisition: Acquisition, specimen: Specimen) -> np.ndarray:
    """Continuum behind each of some windows; a mixture mimics the unknown one.

    Parameters
    ----------
    acquisition : Acquisition
        Its own detector does not matter.
    specimen : Specimen

    Returns
    -------
    ndarray, shape (n_channels, n_columns)
        Each column sums to one.
    """
    response = depth_response(specimen, acquisition)
    parts = []
    for name in WINDOWS:
        behind = replace(acquisition, detector=make_detector(name))
        parts.append(continuum_columns(response, behind, CONTINUUM_DEGREE))
    return np.column_stack(parts)


def _pile_up(counts: np.ndarray, acquisition: Acquisition) -> np.ndarray:
    """Two photons counted as one: the spectrum convolved with itself.

    Soft photons, which the detector does not notice in time, count apart.
    """
    soft = np.where(acquisition.energy < SOFT_KEV, counts, 0)
    hard = counts - soft
    at = (acquisition.energy - 2 * acquisition.energy[0]) / acquisition.channel_width
    pairs = [np.convolve(a, b) for a, b in ((soft, soft), (soft, hard), (hard, hard))]
    steps = np.arange(pairs[0].size)
    return np.array([np.interp(at, steps, p, left=0, right=0) for p in pairs]).T
