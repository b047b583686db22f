# SPDX-License-Identifier: GPL-3.0-or-later
"""Low-loss spectra without the response and the noise.

A sample of a map decides how its spectra are deconvolved; then each block of spectra
is deconvolved on its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from .arbiter import Choice, choose, held_out_scores, network_alone
from .candidates import NETWORK, RICHARDSON_LUCY, Begun, paths, run
from .deconvolved import Deconvolved, reduced_deviance
from .deconvolver import Deconvolver
from .explaining import explained
from .measured import Measured
from .noise_prior import NoisePrior
from .own_response import response_of_all
from .replicate_errors import learn_error_scale
from .sample_checks import METHODS, check_response, checked_sample
from .target import check_target, target_widths
from .zero_loss import find_zero_loss

if TYPE_CHECKING:
    from .deconvolver_model import DeconvolverModel
    from .response import Response

__all__ = ["METHODS", "Deconvolved", "Deconvolver", "prepare_deconvolution"]

LARGEST_SAMPLE = 16  # spectra that decide
REPLICATED = 12  # of them, from which errors are learnt
NOT_EXPLAINED = 1.3  # median reduced deviance, above which noise is taken for larger
WIDENED = 3  # times at most
NOT_SHARPENED = (
    "The zero-loss peaks are too narrow to be sharpened: spectra are left as they are, "
    "but for the dark level."
)
MISFIT = (
    "the data are not explained within their noise, so that counts held out from them "
    "cannot judge"
)


def prepare_deconvolution(
    sample: np.ndarray,
    energy_eV: np.ndarray,
    *,
    response: Response | None = None,
    model: DeconvolverModel | None = None,
    method: str = "auto",
    gain: float | None = None,
    read_noise: float | None = None,
    target_width: float | None = None,
    align: bool = True,
    random_state: int = 0,
) -> Deconvolver:
    """Decide how the spectra of a map are deconvolved.

    Parameters
    ----------
    sample : ndarray, shape (n, n_channels)
        Counts of spectra from all over the map.
    energy_eV : ndarray, shape (n_channels,)
        Uniform and increasing, with the zero loss near 0.
    response : Response, optional
        One row, or one for each spectrum of the sample. Estimated from the spectra if
        not given.
    model : DeconvolverModel, optional
        The one that comes with the package if not given.
    method : {"auto", "network", "richardson-lucy"}
        "auto" chooses by the likelihood of held-out counts.
    gain : float, optional
        Counts per electron; estimated if not given.
    read_noise : float, optional
        Standard deviation of reading out, counts; estimated, or zero if only the gain
        is given.
    target_width : float, optional
        FWHM of the result in channels. Four if not given; the response's own where
        that is hardly wider.
    align : bool, default True
        Whether the zero loss is moved to 0 eV.
    random_state : int, default 0
        Makes it repeat exactly.

    Returns
    -------
    Deconvolver

    Raises
    ------
    ValueError
        If the axis or the spectra do not allow it.
    """
    sample, energy_eV = checked_sample(sample, energy_eV, method)
    check_target(target_width)
    usable = np.isfinite(sample).all(axis=1)
    if not usable.any():
        raise ValueError("`sample` holds no spectrum whose values are all finite.")
    peaks = find_zero_loss(sample[usable])
    good = peaks.problem == ""
    if not good.any():
        peaks.check("sample")
    rows = _spread(np.flatnonzero(usable)[good])
    counts = sample[rows].astype(float)
    notes: list[str] = []
    blind = None
    if response is None:
        found = response_of_all(counts)
        own = found.response
        response, blind = (own, found) if len(own) == 1 else (None, None)
        whose = "each spectrum" if response is None else "all spectra together"
        notes.append(f"The response was estimated from {whose}.")
    else:
        check_response(response, len(sample))
        own = response.select(rows)
    noise = _noise(counts, own, gain, read_noise)
    deconvolver = Deconvolver(
        energy_eV,
        response,
        noise,
        Choice(method, ""),
        method,
        _model(model, method, own, target_width),
        target_width,
        align,
        blind,
        random_state=random_state,
    )
    return _decided(deconvolver, counts, own, notes)


def _decided(
    deconvolver: Deconvolver, counts: np.ndarray, own: Response, notes: list[str]
) -> Deconvolver:
    """Choose the way by the sample, and learn the errors that it makes.

    Where the response does not explain the data within their noise, the noise is taken
    for larger, so that what is not explained is not taken for signal.
    """
    if (target_widths(own, deconvolver.wanted_width) >= own.fwhm).all():
        notes = [*notes, NOT_SHARPENED]
        return replace(deconvolver, choice=Choice("none", ""), notes=tuple(notes))
    for _ in range(WIDENED):
        spectra = deconvolver.measure(counts, own)
        chosen = replace(deconvolver, choice=_chosen(deconvolver, counts, spectra))
        starts = chosen.starts()
        ways = chosen.ways(counts, spectra, starts)
        deviance = _median_deviance(spectra, run(ways, spectra, starts))
        if deviance < NOT_EXPLAINED:
            break
        noise = deconvolver.noise.widened(deviance)
        deconvolver = replace(deconvolver, noise=noise)
    few = np.arange(min(REPLICATED, len(counts)))
    some = spectra.select(few)

    def again(other: Measured) -> Begun:
        return run(ways[: few.size], other, starts)

    widths = np.broadcast_to(target_widths(own, chosen.wanted_width), len(counts))
    scale = learn_error_scale(some, again, widths[few], chosen.random_state)
    notes = [*notes, *_target_notes(widths, spectra.fwhm), chosen.choice.why]
    if chosen.noise.widening > 1:
        notes.append(
            f"Residuals vary {chosen.noise.widening:.2g} times as much as the noise of "
            "single channels: the response is not quite known, or channels depend on "
            "each other."
        )
    return replace(chosen, error_scale=scale, notes=tuple(notes))


def _chosen(deconvolver: Deconvolver, counts: np.ndarray, spectra: Measured) -> Choice:
    if deconvolver.noise.widening > 1 and deconvolver.model is not None:
        return network_alone(MISFIT)
    starts = deconvolver.starts()
    ways = paths(
        with_network=deconvolver.model is not None,
        with_richardson_lucy=deconvolver.method != NETWORK or deconvolver.model is None,
    )
    first, second = (
        held_out_scores(counts, spectra, ways, starts, deconvolver.random_state + k)
        for k in (0, 1)
    )
    return choose(first, second, ways)


def _median_deviance(spectra: Measured, found: Begun) -> float:
    spectra = explained(spectra, found.scene)
    expected = spectra.transfer.forward(found.scene).numpy()
    read = spectra.read_variance.numpy()
    deviance = reduced_deviance(spectra.electrons.numpy(), expected, read)
    return float(np.median(deviance))


def _model(
    model: DeconvolverModel | None,
    method: str,
    response: Response,
    target_width: float | None,
) -> DeconvolverModel | None:
    """The network, unless it is not wanted or there is nothing to sharpen."""
    from .deconvolver_model import default_deconvolver

    sharpened = target_widths(response, target_width) < response.fwhm
    if method == RICHARDSON_LUCY or not sharpened.mean() > 0.5:
        return None
    return default_deconvolver() if model is None else model


def _spread(rows: np.ndarray) -> np.ndarray:
    """At most as many as decide, evenly from all."""
    n = min(rows.size, LARGEST_SAMPLE)
    return rows[((np.arange(n) + 0.5) * rows.size / n).astype(int)]


def _noise(
    counts: np.ndarray,
    response: Response,
    gain: float | None,
    read_noise: float | None,
) -> NoisePrior:
    if gain is not None:
        if not gain > 0:
            raise ValueError(f"`gain` is {gain}; it has to be above zero.")
        return NoisePrior.known(gain, read_noise or 0.0)
    peaks = find_zero_loss(counts)
    return NoisePrior.from_spectra(counts, peaks.centre, peaks.fwhm, response)


def _target_notes(widths: np.ndarray, fwhm: np.ndarray) -> list[str]:
    kept = int(np.sum(widths >= fwhm))
    if not kept:
        return []
    return [
        f"The response of {kept} of {widths.size} spectra is too narrow to be "
        "sharpened: their resolution is left as it is."
    ]
