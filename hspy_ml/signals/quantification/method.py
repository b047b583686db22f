# SPDX-License-Identifier: GPL-3.0-or-later
"""Network or likelihood: which of the two a signal is for, and why."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..acquisition import technique_of
from ..data import signal_array

FEWEST_PIXELS = 256
MOST_COUNTS = 1000.0
SAMPLED_PIXELS = 1024

#: Arguments that only one of the methods takes, and what they are when left out.
OF_LIKELIHOOD: dict[str, Any] = {
    "g_matrix": None,
    "by_difference": None,
    "standards": None,
    "electrons": None,
    "solid_angle_sr": None,
    "low_loss": None,
}
OF_NETWORK: dict[str, Any] = {
    "model": None,
    "prior": "neighbours",
    "fewest_counts": None,
    "random_state": None,
}


def check_arguments(method: str, given: dict[str, Any]) -> None:
    """Refuse arguments that a method does not take.

    Parameters
    ----------
    method : {"likelihood", "network"}
    given : dict
        All arguments of the call.

    Raises
    ------
    ValueError
        If one is of the other method.
    """
    other, others = (
        ("likelihood", OF_LIKELIHOOD)
        if method == "network"
        else ("network", OF_NETWORK)
    )
    used = _used(given, others)
    if used:
        names = ", ".join(f"`{name}`" for name in used)
        raise ValueError(
            f'{names} cannot be used with `method="{method}"`; leave it out, or ask '
            f'for `method="{other}"`.'
        )


def choose_method(s: Any, given: dict[str, Any]) -> tuple[str, str]:
    """Choose for a signal.

    The network is for maps of few counts, where what is known of spectra and of the
    image counts most; the likelihood is exact where counts are many, and for what a
    network was not trained for.

    Parameters
    ----------
    s : EDSTEMSpectrum, EDSSEMSpectrum or EELSSpectrum
    given : dict
        All arguments of the call.

    Returns
    -------
    method : {"likelihood", "network"}
    reason : str
        A sentence for the result.
    """
    of_network, of_likelihood = _used(given, OF_NETWORK), _used(given, OF_LIKELIHOOD)
    if of_network:
        return "network", f"By network, since `{of_network[0]}` was given."
    if of_likelihood:
        return "likelihood", f"By likelihood, since `{of_likelihood[0]}` was given."
    if technique_of(s) == "EELS":
        return "likelihood", "By likelihood, which is exact at the counts of EELS."
    n_pixels = s.axes_manager.navigation_size
    if n_pixels < FEWEST_PIXELS:
        return "likelihood", "By likelihood, which is exact, since pixels are few."
    counts = mean_counts(s)
    if not counts <= MOST_COUNTS:
        return (
            "likelihood",
            "By likelihood, which is exact, since pixels have many counts "
            f"({counts:.0f} on average).",
        )
    return (
        "network",
        f"By network, since pixels have few counts ({counts:.0f} on average); "
        '`method="likelihood"` takes each by itself.',
    )


def mean_counts(s: Any) -> float:
    """Counts of a pixel, on average over a thousand of them.

    Parameters
    ----------
    s : hyperspy.api.signals.Signal1D

    Returns
    -------
    float
    """
    data = signal_array(s)
    step = max(1, data.shape[0] // SAMPLED_PIXELS)
    total = data[::step].sum()
    return float(np.asarray(total)) / len(range(0, data.shape[0], step))


def _used(given: dict[str, Any], defaults: dict[str, Any]) -> list[str]:
    return [
        name
        for name, default in defaults.items()
        if not (given[name] is default or given[name] == default)
    ]
