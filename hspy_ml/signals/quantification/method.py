# SPDX-License-Identifier: GPL-3.0-or-later
"""Network or likelihood: which of the two a signal is for, and why."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..acquisition import technique_of
from ..data import signal_array

FEWEST_PIXELS = 256
#: Counts of a pixel up to which the network is better in most scenes, as measured;
#: for EELS those of the whole axis, of which edges are a small part.
MOST_COUNTS = {"EDS_TEM": 1000.0, "EDS_SEM": 1000.0, "EELS": 5e4}
SAMPLED_PIXELS = 1024

#: Arguments that only one of the methods takes, and what they are when left out.
OF_LIKELIHOOD: dict[str, Any] = {
    "g_matrix": None,
    "by_difference": None,
    "standards": None,
    "electrons": None,
    "solid_angle_sr": None,
}
OF_LIKELIHOOD_IN_EDS: dict[str, Any] = {"low_loss": None}
OF_LIKELIHOOD_IN_EELS: dict[str, Any] = {"by_stoichiometry": "auto", "valences": None}
OF_NETWORK: dict[str, Any] = {
    "model": None,
    "prior": "neighbours",
    "fewest_counts": None,
    "random_state": None,
}

#: Arguments that describe a specimen of EDS, and what they are when left out.
OF_SPECIMEN: dict[str, Any] = {
    "geometry": None,
    "mass_thickness": 0.0,
    "detector": "auto",
    "standards": None,
}


def check_arguments(method: str, technique: str, given: dict[str, Any]) -> None:
    """Refuse arguments that a method does not take.

    Parameters
    ----------
    method : {"likelihood", "network"}
    technique : {"EDS_TEM", "EDS_SEM", "EELS"}
    given : dict
        All arguments of the call.

    Raises
    ------
    ValueError
        If one is of the other method.
    """
    if method == "network":
        other, used = "likelihood", _of_likelihood(technique, given)
    else:
        other, used = "network", _used(given, OF_NETWORK)
    if used:
        names = ", ".join(f"`{name}`" for name in used)
        raise ValueError(
            f'{names} cannot be used with `method="{method}"`; leave it out, or ask '
            f'for `method="{other}"`.'
        )


def check_specimen_arguments(given: dict[str, Any], technique: str) -> None:
    """Refuse what has no meaning with a G-matrix that is given, or for EELS.

    Parameters
    ----------
    given : dict
        Arguments that describe the specimen.
    technique : {"EDS_TEM", "EDS_SEM", "EELS"}

    Raises
    ------
    ValueError
        If one is not what it is when left out.
    """
    why = (
        "are for EDS" if technique == "EELS" else "are in the `g_matrix` that was given"
    )
    known = {n: default for n, default in OF_SPECIMEN.items() if n in given}
    used = _used(given, known)
    if used:
        names = ", ".join(f"`{name}`" for name in used)
        raise ValueError(f"{names} cannot be used here: they {why}. Leave them out.")


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
    technique = technique_of(s)
    of_network = _used(given, OF_NETWORK)
    of_likelihood = _of_likelihood(technique, given)
    if of_network:
        return "network", f"By network, since `{of_network[0]}` was given."
    if of_likelihood:
        return "likelihood", f"By likelihood, since `{of_likelihood[0]}` was given."
    n_pixels = s.axes_manager.navigation_size
    if n_pixels < FEWEST_PIXELS:
        return "likelihood", "By likelihood, which is exact, since pixels are few."
    counts = mean_counts(s)
    if not counts <= MOST_COUNTS[technique]:
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


def _of_likelihood(technique: str, given: dict[str, Any]) -> list[str]:
    if technique != "EELS":
        return _used(given, OF_LIKELIHOOD | OF_LIKELIHOOD_IN_EDS)
    by_stoichiometry = given["by_stoichiometry"] or "auto"  # both: no such element
    given = given | {"by_stoichiometry": by_stoichiometry}
    return _used(given, OF_LIKELIHOOD | OF_LIKELIHOOD_IN_EELS)


def _used(given: dict[str, Any], defaults: dict[str, Any]) -> list[str]:
    return [
        name
        for name, default in defaults.items()
        if not (given[name] is default or given[name] == default)
    ]
