# SPDX-License-Identifier: GPL-3.0-or-later
"""X-ray spectra at a higher resolution than the detector's.

What is known of the detector, and a sample of the map, decide how all spectra of the
map are deconvolved; then each block of spectra is deconvolved on its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from ..physics.acquisition import Acquisition, Detector
from .xray_arbiter import (
    NETWORK_WAYS,
    RICHARDSON_LUCY,
    Way,
    XrayChoice,
    choose_ways,
    stepped,
)
from .xray_counts import checked_gain, photons, some_of_all_doses
from .xray_deconvolved import XrayDeconvolved, judged
from .xray_model import XrayModel, default_xray_model
from .xray_refold import (
    bootstrap_errors,
    error_scale,
    explained,
    refold_deviance,
)
from .xray_response import XrayResponse
from .xray_restore import restore
from .xray_richardson_lucy import (
    IterationsByDose,
    choose_iterations,
    richardson_lucy,
)

__all__ = ["XrayDeconvolver", "prepare_xray_deconvolution"]

METHODS = ("auto", "network", "richardson-lucy")
EXTRA_STEPS = (20, 80)  # for what is not explained
REPLICATED = 12  # spectra of a dose whose errors are tried out


@dataclass(frozen=True, eq=False)
class XrayDeconvolver:
    """How the spectra of a map are deconvolved.

    Parameters
    ----------
    response : XrayResponse
    iterations : IterationsByDose
        Of Richardson-Lucy.
    choice : XrayChoice
        The way for each dose.
    model : XrayModel or None
        None if no way has a network.
    scales : tuple of float
        Of the errors of each class of doses.
    gain : float
        Data over photons.
    random_state : int
        Of the replicates that give the errors of Richardson-Lucy.
    notes : tuple of str
        What the user should know.
    """

    response: XrayResponse
    iterations: IterationsByDose
    choice: XrayChoice
    model: XrayModel | None = None
    scales: tuple[float, ...] = (1.0,)
    gain: float = 1.0
    random_state: int = 0
    notes: tuple[str, ...] = ()

    def apply(self, block: np.ndarray) -> XrayDeconvolved:
        """Deconvolve spectra; the same whatever else is in the block.

        Parameters
        ----------
        block : ndarray, shape (n_spectra, n_channels)
            Counts. Spectra with values that are not finite give NaN and are flagged.

        Returns
        -------
        XrayDeconvolved

        Raises
        ------
        ValueError
            If counts are negative, or there are not as many channels as in the
            response.
        """
        counts, finite = photons(block, self.response.n_channels, self.gain)
        found, errors = np.zeros(counts.shape), np.zeros(counts.shape)
        classes = self.choice.class_of(counts.sum(axis=1))
        for number, way in enumerate(self.choice.ways):
            rows = np.flatnonzero(classes == number)
            if rows.size:
                found[rows], of_way = self._by(way, counts[rows])
                errors[rows] = self.scales[number] * of_way
        result = judged(counts, found, errors, self.response, self.choice)
        return result.with_gaps(finite).times(self.gain)

    def _by(self, way: Way, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Spectra and errors, the way's steps and more where they are needed."""
        if way.network:
            first, errors = restore(counts, self.response, self.model.network)
            found = stepped(counts, first, self.response, way.steps)
            found = self._explaining(counts, found)
            moved = self.response.backward((found - first) ** 2)
            return found, np.sqrt(errors**2 + moved)
        steps = self.iterations.of(counts.sum(axis=1))
        found = richardson_lucy(counts, self.response, steps)
        errors = bootstrap_errors(found, self.response, steps, self.random_state)
        return found, errors

    def _explaining(self, counts: np.ndarray, found: np.ndarray) -> np.ndarray:
        """More likelihood steps for spectra that need them."""
        found = found.copy()
        for n_steps in EXTRA_STEPS:
            told = refold_deviance(counts, self.response.forward(found))
            rows = np.flatnonzero(~explained(*told))
            if not rows.size:
                break
            found[rows] = stepped(counts[rows], found[rows], self.response, n_steps)
        return found


def prepare_xray_deconvolution(
    sample: np.ndarray,
    acquisition: Acquisition,
    detector: Detector | None = None,
    *,
    model: XrayModel | None = None,
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
    model : XrayModel, optional
        By default the one of the package.
    method : {"auto", "network", "richardson-lucy"}
        "auto" takes, for each dose, what explains counts best that were set aside:
        network, network and likelihood steps, or Richardson-Lucy. "network" takes one
        of the first two.
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
    TypeError
        If `model` is no `XrayModel`.
    ValueError
        If an argument is not allowed, there is nothing to sharpen, or the network is
        asked for and was not trained for the detector and the axis.
    """
    _check(method, model)
    gain = checked_gain(gain)
    response = XrayResponse.of_detector(acquisition, detector, target_width_eV)
    counts, finite = photons(sample, response.n_channels, gain)
    if not finite.any():
        raise ValueError("`sample` holds no spectrum whose values are all finite.")
    counts = some_of_all_doses(counts[finite])
    iterations = choose_iterations(counts, response, random_state)
    none = XrayChoice("richardson-lucy", "")
    plain = XrayDeconvolver(
        response, iterations, none, gain=gain, random_state=random_state
    )
    if method == "richardson-lucy" or counts.shape[0] == 0:
        return _told(plain, "Richardson-Lucy.")
    model = model or default_xray_model()
    problem = model.why_not(response)
    if problem and method == "network":
        raise ValueError(f"`method` is 'network', but {problem}; use 'auto'.")
    if problem:
        return _told(plain, f"Richardson-Lucy: the network does not fit, {problem}.")
    return _with_network(plain, counts, model, method)


def _with_network(
    plain: XrayDeconvolver, counts: np.ndarray, model: XrayModel, method: str
) -> XrayDeconvolver:
    ways = NETWORK_WAYS if method == "network" else (*NETWORK_WAYS, RICHARDSON_LUCY)
    choice = choose_ways(
        counts,
        plain.response,
        plain.iterations,
        lambda some: restore(some, plain.response, model.network)[0],
        ways,
        plain.random_state,
    )
    chosen = replace(plain, choice=choice, model=model, notes=(choice.why,))
    classes = choice.class_of(counts.sum(axis=1))
    scales = [
        _scale(chosen, way, counts[classes == number][:REPLICATED])
        for number, way in enumerate(choice.ways)
    ]
    return replace(chosen, scales=tuple(scales))


def _scale(deconvolver: XrayDeconvolver, way: Way, counts: np.ndarray) -> float:
    """Of the network's errors; those of Richardson-Lucy are made on the spectrum."""
    if not way.network:
        return 1.0
    return error_scale(
        *deconvolver._by(way, counts),
        deconvolver.response,
        lambda drawn: deconvolver._by(way, drawn)[0],
        deconvolver.random_state,
    )


def _told(plain: XrayDeconvolver, why: str) -> XrayDeconvolver:
    pairs = zip(plain.iterations.iterations, plain.iterations.counts, strict=True)
    told = ", ".join(f"{n:.0f} at {dose:.2g} counts" for n, dose in pairs)
    why = f"{why} Iterations by the likelihood of counts set aside: {told}."
    choice = replace(plain.choice, why=why, scores={"richardson-lucy": 0.0})
    return replace(plain, choice=choice, notes=(why,))


def _check(method: str, model: XrayModel | None) -> None:
    if method not in METHODS:
        raise ValueError(
            f"`method` is {method!r}; it is one of {', '.join(map(repr, METHODS))}."
        )
    if model is not None and not isinstance(model, XrayModel):
        raise TypeError(
            f"`model` is a {type(model).__name__}; X-ray spectra need an `XrayModel`, "
            "or None for the one of the package."
        )
