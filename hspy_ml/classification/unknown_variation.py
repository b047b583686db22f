# SPDX-License-Identifier: GPL-3.0-or-later
r"""What spectra of the phases themselves show of every departure.

In a real specimen spots of one phase hold a little of its neighbours, of trace
elements, of another charging state: departures that no general model of scatter knows.
Labelled spectra show them. Of a score `z`, of which the scatter lets expect a variance
of one, spectra of `N` counts show

.. math:: \overline{z^2} = 1 + N \nu

and :math:`\nu`, as far as `n` spectra can tell, is added wherever spectra are judged;
with the same caution as the scatter. Sums of squares are made smaller until those of
labelled spectra lie where chance lets expect them.
"""

from __future__ import annotations

import numpy as np

from ..counts import Counts
from ..counts.selection import select_pixels
from .unknown import CAUTION, UnknownTest, Variation
from .unknown_calibration import Calibration

__all__ = ["seen_variation"]

FEWEST_SPECTRA = 4
REACH = 2.0  # standard deviations: about the upper end of what is seen by chance
DEVIATIONS = 1.0  # of the scores' mean square, by which more than one is noise


def seen_variation(
    test: UnknownTest, calibration: Calibration, counts: Counts, which: np.ndarray
) -> Variation:
    """How far labelled spectra depart from their references.

    Parameters
    ----------
    test : UnknownTest
        Of the references that were made of them.
    calibration : Calibration
        Of this test.
    counts : SparseCounts or DenseCounts
        Labelled spectra.
    which : ndarray of int, shape (n_spectra,)
        Phase of each from 0; -1 for none.

    Returns
    -------
    Variation
        Zero for phases of fewer than four spectra.
    """
    n_phases = len(test.references.names)
    departures = np.zeros((n_phases, test.n_departures))
    squares = np.zeros(n_phases)
    for phase in range(n_phases):
        own = np.flatnonzero((which == phase) & (counts.pixel_totals > 0))
        if own.size < FEWEST_SPECTRA:
            continue
        spectra = select_pixels(counts, own)
        totals = spectra.pixel_totals
        z = test.scores(spectra, phase)
        departures[phase] = _beyond_one(z**2, totals)
        found = test.statistics(spectra, np.full(own.size, phase))[:, 1]
        reached = found.mean() + REACH * found.std()
        expected = calibration.upper_squares(phase, totals.mean())
        squares[phase] = max(reached / expected - 1, 0.0) / totals.mean()
    return Variation(departures, squares)


def _beyond_one(squares: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """By what mean squares are more than one, for each count of a spectrum."""
    n = totals.size
    mean = squares.mean(axis=0) * n / (n - 1)  # the reference is the mean of these
    noise = DEVIATIONS * np.sqrt(2 / n)
    return CAUTION * np.maximum(mean - 1 - noise, 0) / totals.mean()
