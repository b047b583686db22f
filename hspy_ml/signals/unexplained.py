# SPDX-License-Identifier: GPL-3.0-or-later
"""A warning of peaks that the elements given do not explain."""

from __future__ import annotations

import warnings

import numpy as np

from ..physics.acquisition import Acquisition

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
    peaks = unexplained_peaks(observed, fitted, lines, acquisition)[:_MOST_PEAKS]
    if peaks:
        places = "; ".join(
            f"{peak.counts:.3g} counts at {peak.energy_keV:.2f} keV"
            + (f" ({', '.join(peak.candidates)}?)" if peak.candidates else "")
            for peak in peaks
        )
        warnings.warn(
            f"The elements given do not explain {places}. Add what is missing with "
            "`s.add_elements([...])` or `elements=`, or leave the channels out with "
            "`signal_mask`: the continuum and weak elements are wrong otherwise.",
            UserWarning,
            stacklevel=stacklevel,
        )
