# SPDX-License-Identifier: GPL-3.0-or-later
"""X-ray spectra at a higher resolution than the detector's.

What is known of the detector, and a sample of the map, decide how all spectra of the
map are deconvolved; then each block of spectra is deconvolved on its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from ..physics.acquisition import Acquisition, Detector
from .xray_refold import bootstrap_errors, explained, refold_deviance
from .xray_response import XrayResponse
from .xray_richardson_lucy import (
    IterationsByDose,
    choose_iterations,
    richardson_lucy,
)

__all__ = [
    "XrayChoice",
    "XrayDeconvolved",
    "XrayDeconvolver",
    "prepare_xray_deconvolution",
]

METHODS = ("auto", "network", "richardson-lucy")
LARGEST_SAMPLE = 48  # spectra that decide


@dataclass(frozen=True)
class XrayChoice:
    """What was chosen, and why.

    Parameters
    ----------
    method : str
    why : str
        A sentence.
    scores : dict of str to float
        Held-out log likelihood per count of each candidate, less that of the best.
    """

    method: str
    why: str
    scores: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class XrayDeconvolved:
    """Spectra without the detector's broadening.

    Parameters
    ----------
    spectra : ndarray, shape (n_spectra, n_channels)
        Counts at the target resolution: not negative, with the sums of the data.
    errors : ndarray, shape (n_spectra, n_channels)
        Standard errors.
    refolded : ndarray, shape (n_spectra, n_channels)
        `spectra` as the detector would broaden them.
    deviance : ndarray, shape (n_spectra,)
        Reduced deviance of the data from `refolded`.
    flagged : ndarray of bool, shape (n_spectra,)
        Spectra that are not explained: with structure narrower than the detector
        allows.
    shifts : ndarray, shape (n_spectra,)
        Zero: the energy scale is taken as it is.
    choice : XrayChoice
    """

    spectra: np.ndarray
    errors: np.ndarray
    refolded: np.ndarray
    deviance: np.ndarray
    flagged: np.ndarray
    shifts: np.ndarray
    choice: XrayChoice


@dataclass(frozen=True, eq=False)
class XrayDeconvolver:
    """How the spectra of a map are deconvolved.

    Parameters
    ----------
    response : XrayResponse
    iterations : IterationsByDose
        Of Richardson-Lucy.
    choice : XrayChoice
    gain : float
        Data over photons.
    random_state : int
        Of the replicates that give the errors.
    """

    response: XrayResponse
    iterations: IterationsByDose
    choice: XrayChoice
    gain: float = 1.0
    random_state: int = 0

    @property
    def notes(self) -> tuple[str, ...]:
        """What the user should know."""
        return (self.choice.why,)

    def apply(self, block: np.ndarray) -> XrayDeconvolved:
        """Deconvolve spectra; the same whatever else is in the block.

        Parameters
        ----------
        block : ndarray, shape (n_spectra, n_channels)
            Counts.

        Returns
        -------
        XrayDeconvolved

        Raises
        ------
        ValueError
            If counts are negative or not finite, or there are not as many channels as
            in the response.
        """
        counts = _photons(block, self.response, self.gain)
        steps = self.iterations.of(counts.sum(axis=1))
        found = richardson_lucy(counts, self.response, steps)
        errors = bootstrap_errors(found, self.response, steps, self.random_state)
        return self._judged(counts, found, errors)

    def _judged(
        self, counts: np.ndarray, found: np.ndarray, errors: np.ndarray
    ) -> XrayDeconvolved:
        refolded = self.response.forward(found)
        deviance, excess = refold_deviance(counts, refolded)
        return XrayDeconvolved(
            found * self.gain,
            errors * self.gain,
            refolded * self.gain,
            deviance,
            ~explained(deviance, excess),
            np.zeros(counts.shape[0]),
            self.choice,
        )


def prepare_xray_deconvolution(
    sample: np.ndarray,
    acquisition: Acquisition,
    detector: Detector | None = None,
    *,
    method: Literal["auto", "network", "richardson-lucy"] = "auto",
    gain: float | None = None,
    target_width_eV: float | None = None,
    random_state: int = 0,
) -> XrayDeconvolver:
    """Decide how the spectra of a map are deconvolved.

    Parameters
    ----------
    sample : ndarray, shape (n_spectra, n_channels)
        Counts of spectra from all over the map.
    acquisition : Acquisition
        Of the map.
    detector : Detector, optional
        By default that of `acquisition`.
    method : {"auto", "network", "richardson-lucy"}
    gain : float, optional
        Data over photons, for maps that are not in counts; one by default.
    target_width_eV : float, optional
        See :meth:`XrayResponse.of_detector`.
    random_state : int, default 0

    Returns
    -------
    XrayDeconvolver

    Raises
    ------
    ValueError
        If an argument is not allowed, or there is nothing to sharpen.
    """
    if method not in METHODS:
        raise ValueError(
            f"`method` is {method!r}; it is one of {', '.join(map(repr, METHODS))}."
        )
    gain = _checked_gain(gain)
    response = XrayResponse.of_detector(acquisition, detector, target_width_eV)
    counts = _some(_photons(sample, response, gain))
    iterations = choose_iterations(counts, response, random_state)
    choice = XrayChoice("richardson-lucy", _told(iterations))
    return XrayDeconvolver(response, iterations, choice, gain, random_state)


def _told(iterations: IterationsByDose) -> str:
    pairs = zip(iterations.iterations, iterations.counts, strict=True)
    told = ", ".join(f"{n:.0f} at {dose:.3g} counts" for n, dose in pairs)
    return f"Richardson-Lucy iterations, by the likelihood of counts set aside: {told}."


def _some(counts: np.ndarray) -> np.ndarray:
    """Spectra of all doses, few enough to decide on."""
    if counts.shape[0] <= LARGEST_SAMPLE:
        return counts
    by_dose = np.argsort(counts.sum(axis=1), kind="stable")
    places = np.linspace(0, counts.shape[0] - 1, LARGEST_SAMPLE).round().astype(int)
    return counts[by_dose[places]]


def _checked_gain(gain: float | None) -> float:
    if gain is None:
        return 1.0
    if not 0 < gain < np.inf:
        raise ValueError(
            f"`gain` is {gain}; give what one photon adds to the data, above 0."
        )
    return float(gain)


def _photons(block: np.ndarray, response: XrayResponse, gain: float) -> np.ndarray:
    block = np.asarray(block)
    if block.ndim != 2 or block.shape[1] != response.n_channels:
        raise ValueError(
            f"The spectra have the shape {block.shape}; (n_spectra, "
            f"{response.n_channels}) is expected, as the energy axis has channels."
        )
    counts = block.astype(np.float64)
    if not np.isfinite(counts).all():
        raise ValueError(
            "The spectra hold NaN or infinite values; replace them, for instance with "
            "`numpy.nan_to_num`, or mask the pixels with `navigation_mask`."
        )
    if counts.size and counts.min() < 0:
        raise ValueError(
            f"The spectra hold negative values, down to {counts.min():.4g}; X-ray "
            "counts are not negative. Give the counts as measured, with no background "
            "subtracted."
        )
    return counts / gain
