# SPDX-License-Identifier: GPL-3.0-or-later
"""Error bars that mean what they say, and what surprise is ordinary at which dose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from .network_reading import goodness, posterior_of, read_spectra

if TYPE_CHECKING:
    from ..networks.quantifier import QuantifierNetwork
    from ..simulation.spectrum_bank import SpectrumBank

__all__ = ["calibrate", "scores_of"]

WITHIN_ONE_ERROR = 0.6827
SPECTRA_PER_DRAW = 1024
N_DRAWS = 48
N_DOSES = 4
SHARE_OF_A_DOSE = 0.1
FLAGGED = float(norm.isf(0.01))
LARGEST_WIDENING = 3.0
DIMMER = 4.0
MEDIAN_OF_NORMAL = 0.6745  # of its absolute value, in standard deviations


def calibrate(
    network: QuantifierNetwork, bank: SpectrumBank, random_state: list[int]
) -> None:
    """Set the network's calibration from fresh spectra.

    Its deviations are multiplied by a factor for each dose and element, so that 68 %
    of the fractions lie within one. The errors at the highest dose are what the pixels
    of an image share: of the instrument, and of the network. Of the surprise at spectra
    without anything unnamed, the quantiles are kept.

    Parameters
    ----------
    network : QuantifierNetwork
        Trained; its calibration is replaced.
    bank : SpectrumBank
    random_state : list of int
    """
    import torch

    fresh = _fresh(network, bank, random_state)
    log_counts = np.log1p(fresh.counts)
    grid = np.linspace(*np.log(bank.counts), network.dose_grid.shape[0])
    levels = 1 - np.array(_levels())
    clean = np.flatnonzero(fresh.clean)
    widening, ordinary = [], []
    for dose in grid:
        here = _nearest(log_counts, dose)
        factor = np.quantile(np.abs(fresh.pulls[here]), WITHIN_ONE_ERROR, axis=0)
        widening.append(np.clip(factor, 1 / LARGEST_WIDENING, LARGEST_WIDENING))
        here = clean[_nearest(log_counts[clean], dose)]
        ordinary.append(np.quantile(fresh.surprise[here], levels))
    shared = _error_without_noise(fresh.errors, log_counts, grid[-1])
    with torch.no_grad():
        for name, values in (
            ("shared_deviation", shared),
            ("dose_grid", grid),
            ("widening", widening),
            ("ordinary", ordinary),
        ):
            tensor = torch.from_numpy(np.asarray(values, dtype=np.float32))
            getattr(network, name).copy_(tensor)


def scores_of(
    network: QuantifierNetwork, bank: SpectrumBank, random_state: list[int]
) -> dict[str, dict[str, float]]:
    """How good a calibrated network is, by dose, on spectra that it has not seen.

    Parameters
    ----------
    network : QuantifierNetwork
    bank : SpectrumBank
    random_state : list of int

    Returns
    -------
    dict of str to dict
        By the counts: root mean square error in at.%, the share of the fractions
        within one standard deviation, and the share of spectra of known mixtures that
        are flagged.
    """
    fresh = _fresh(network, bank, random_state)
    edges = np.geomspace(*bank.counts, N_DOSES + 1)
    scores = {}
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        here = (fresh.counts >= low) & (fresh.counts < high)
        if not here.any():
            continue
        scores[f"{low:.0f} to {high:.0f} counts"] = {
            "rms error (at.%)": float(np.sqrt(np.mean(fresh.errors[here] ** 2)) * 100),
            "within one error": float(np.mean(np.abs(fresh.pulls[here]) < 1)),
            "flagged": float(np.mean(fresh.goodness[here & fresh.clean] > FLAGGED)),
        }
    return scores


def _error_without_noise(
    errors: np.ndarray, log_counts: np.ndarray, highest: float
) -> np.ndarray:
    """What is left of the errors as counts grow: of v = s^2 + a / N at two doses."""
    bright, dimmer = (
        np.median(np.abs(errors[_nearest(log_counts, dose)]), axis=0) / MEDIAN_OF_NORMAL
        for dose in (highest, highest - np.log(DIMMER))
    )
    squared = (DIMMER * bright**2 - dimmer**2) / (DIMMER - 1)
    return np.sqrt(np.maximum(squared, 0))


def _nearest(log_counts: np.ndarray, dose: float) -> np.ndarray:
    """The tenth of the spectra whose doses are nearest to one."""
    n = max(1, round(SHARE_OF_A_DOSE * log_counts.size))
    return np.argpartition(np.abs(log_counts - dose), n - 1)[:n]


@dataclass(frozen=True, eq=False)
class _Fresh:
    """Spectra with their truth, as the network reads them."""

    counts: np.ndarray
    errors: np.ndarray
    pulls: np.ndarray
    surprise: np.ndarray
    goodness: np.ndarray
    clean: np.ndarray


def _fresh(
    network: QuantifierNetwork, bank: SpectrumBank, random_state: list[int]
) -> _Fresh:
    parts = [
        _one_draw(network, bank, np.random.default_rng([*random_state, index]))
        for index in range(N_DRAWS)
    ]
    return _Fresh(*(np.concatenate(part) for part in zip(*parts, strict=True)))


def _one_draw(
    network: QuantifierNetwork, bank: SpectrumBank, rng: np.random.Generator
) -> tuple[np.ndarray, ...]:
    spectra, populations, truth, shares = bank.draw(SPECTRA_PER_DRAW, rng)
    readings = read_spectra(network, [spectra])
    mean, deviation = posterior_of(network, readings.seen)(populations)
    unnamed = shares[:, shares.shape[1] - len(bank.unnamed) :]
    return (
        readings.counts,
        mean - truth,
        (mean - truth) / deviation,
        readings.surprise,
        goodness(network, readings),
        unnamed.sum(axis=1) == 0,
    )


def _levels() -> tuple[float, ...]:
    from ..networks.quantifier import LEVELS

    return LEVELS
