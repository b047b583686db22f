# SPDX-License-Identifier: GPL-3.0-or-later
"""Which elements a signal seems to hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .acquisition import acquisition_from_signal, technique_of
from .data import signal_array
from .masks import flat_navigation_mask, flat_signal_mask

if TYPE_CHECKING:
    from ..physics.acquisition import Detector
    from ..quantification.suggestion import ElementSuggestion

#: Below it electronic noise is counted; beryllium and boron need a `signal_mask`.
LOWEST_ENERGY_KEV = 0.2


def suggest_elements(
    s: Any,
    *,
    navigation_mask: Any = None,
    signal_mask: Any = None,
    detector: Detector | str = "auto",
) -> ElementSuggestion:
    """Suggest elements, with the evidence for each; the metadata are not changed.

    Parameters
    ----------
    s : EDSTEMSpectrum or EDSSEMSpectrum
        The signal, whose pixels are summed; lazy signals are read once.
    navigation_mask : None, float, ndarray of bool or signal, optional
        Pixels to leave out, as HyperSpy's methods take it; True is excluded.
    signal_mask : None, ndarray of bool or signal, optional
        Channels to leave out. By default those below 0.2 keV.
    detector : Detector or str, default "auto"
        As for :func:`hspy_ml.g_matrix`. The search does not need to know the window.

    Returns
    -------
    ElementSuggestion
        The surest first: ``.elements`` are their symbols, ``.evidence`` says for each
        the line, its counts, how much less likely the spectrum is without the element,
        what else would explain it, and whether it may come from grid or holder.

    Raises
    ------
    TypeError, ValueError
        If the signal is not of X-rays, or its data or metadata do not allow it.

    Notes
    -----
    It is a suggestion: elements whose only lines lie under those of others, or which
    hold less than about a thousandth of the counts, are not found. Look at the
    spectrum.

    Examples
    --------
    >>> suggestion = hspy_ml.suggest_elements(s)  # doctest: +SKIP
    >>> suggestion  # doctest: +SKIP
    ElementSuggestion: Cu, Pt, C, Fe
      line      keV        counts  log-likelihood
      Cu_Ka    8.048        23414       +4382.4  may be from grid
      ...
    >>> s.set_elements(["Fe", "Pt"])  # doctest: +SKIP
    """
    from ..counts.building import counts_from_array
    from ..quantification.suggestion import suggest_from_spectrum

    if technique_of(s) == "EELS":
        raise ValueError(
            "`s` is an EELS signal; elements are suggested for X-ray spectra only. "
            "Name those whose edges you see, such as `s.add_elements(['Fe', 'O'])`."
        )
    acquisition = acquisition_from_signal(s, detector)
    excluded = flat_signal_mask(s, signal_mask)
    if signal_mask is None:
        excluded = excluded | (acquisition.energy < LOWEST_ENERGY_KEV)
    counts = counts_from_array(
        signal_array(s),
        excluded_pixels=flat_navigation_mask(s, navigation_mask),
        excluded_channels=excluded,
    )
    spectrum = np.full(excluded.size, np.nan)
    spectrum[~excluded] = counts.channel_totals
    return suggest_from_spectrum(spectrum, acquisition)


def suggestion_in_words(s: Any) -> str:
    """A sentence for the error that a signal names no elements.

    Parameters
    ----------
    s : hyperspy.api.signals.BaseSignal

    Returns
    -------
    str
        The suggestion; how to get it, if the signal is lazy; empty, if there is none.
    """
    import warnings

    if getattr(s, "_lazy", False) and s._signal_type != "EELS":
        return " `hspy_ml.suggest_elements(s)` suggests some."
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            elements = suggest_elements(s).elements
    except (TypeError, ValueError):
        return ""
    if not elements:
        return ""
    return (
        f" The spectrum suggests {list(elements)}; look at "
        "`hspy_ml.suggest_elements(s)` before you believe it."
    )
