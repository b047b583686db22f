# SPDX-License-Identifier: GPL-3.0-or-later
"""A warning of peaks that the elements given do not explain."""

from __future__ import annotations

import warnings

import numpy as np

from ..physics.acquisition import Acquisition
from ..physics.unexplained import UnexplainedPeak

_MOST_PEAKS = 3


def warn_of_unexplained_peaks(
    observed: np.ndarray,
    fitted: np.ndarray,
    lines: np.ndarray,
    acquisition: Acquisition | None,
    stacklevel: int = 5,
) -> None:
    """Warn of peaks that are left over.

    Parameters
    ----------
    observed, fitted, lines : ndarray, shape (n_channels,)
        Counts, fit, and what elements contribute to the fit; NaN in channels that are
        not used.
    acquisition : Acquisition or None
        Nothing is said without.
    stacklevel : int
        As for ``warnings.warn``.
    """
    from ..physics.unexplained import unexplained_peaks

    if acquisition is None:
        return
    peaks = unexplained_peaks(observed, fitted, lines, acquisition)
    warn_of_peaks(
        peaks,
        "Add what is missing with `s.add_elements([...])` or `elements=`, or leave the "
        "channels out with `signal_mask`: the continuum and weak elements are wrong "
        "otherwise.",
        stacklevel + 1,
    )


def warn_of_peaks(
    peaks: list[UnexplainedPeak], consequence: str, stacklevel: int = 5
) -> None:
    """Warn of the largest of some peaks.

    Parameters
    ----------
    peaks : list of UnexplainedPeak
        Nothing is said if it is empty.
    consequence : str
        What it means and what to do.
    stacklevel : int
        As for ``warnings.warn``.
    """
    if not peaks:
        return
    places = "; ".join(
        f"{peak.counts:.3g} counts at {peak.energy_keV:.2f} keV"
        + (f" ({', '.join(peak.candidates)}?)" if peak.candidates else "")
        for peak in sorted(peaks, key=lambda p: -p.counts)[:_MOST_PEAKS]
    )
    warnings.warn(
        f"The elements given do not explain {places}. {consequence}",
        UserWarning,
        stacklevel=stacklevel,
    )
