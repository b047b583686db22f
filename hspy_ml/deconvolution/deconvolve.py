# SPDX-License-Identifier: GPL-3.0-or-later
"""Low-loss spectra without the response and the noise.

A sample of a map decides how its spectra are deconvolved; then each block of spectra
is deconvolved on its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .arbiter import Choice, choose, held_out_scores, picked
from .candidates import (
    NETWORK,
    RICHARDSON_LUCY,
    Begun,
    Candidate,
    Start,
    from_zero_loss,
    paths,
    run,
)
from .deconvolved import Deconvolved, finished, reduced_deviance
from .explaining import explained
from .measured import Measured, measured
from .network_start import network_start
from .noise import DetectorNoise
from .noise_prior import NoisePrior
from .outlying import flags
from .own_response import response_of_all, response_of_each
from .replicate_errors import ErrorScale, learn_error_scale
from .target import DEFAULT_TARGET, check_target, target_widths
from .zero_loss import find_zero_loss

if TYPE_CHECKING:
    from .blind_response import BlindResponse
    from .deconvolver_model import DeconvolverModel
    from .response import Response

__all__ = ["METHODS", "Deconvolver", "prepare_deconvolution"]

METHODS = ("auto", "network", "richardson-lucy")
FEWEST_CHANNELS = 64
LARGEST_SAMPLE = 32  # spectra that decide
REPLICATED = 12  # of them, from which errors are learnt
UNEVEN = 1e-3  # of the channel width, that energies may be off
NOT_EXPLAINED = 1.3  # median reduced deviance, above which noise is taken for larger
WIDENED = 3  # times at most
LEVEL_ERROR = 3e-4  # of the mean counts, that an estimated offset is uncertain by


@dataclass(frozen=True, eq=False)
class Deconvolver:
    """How the spectra of a map are deconvolved.

    Attributes
    ----------
    energy_eV : ndarray, shape (n_channels,)
    response : Response or None
        One row, or one for each spectrum of the blocks. None where each spectrum's own
        is estimated, since they differ.
    blind : BlindResponse or None
        What is known of the response of all spectra, where it was not given.
    noise : NoisePrior
    choice : Choice
    method : str
        That was asked for.
    model : DeconvolverModel or None
        None where the network is not used.
    wanted_width : float or None
        FWHM of the result, in channels, that was asked for.
    align : bool
        Whether the zero loss is moved to 0 eV.
    error_scale : ErrorScale
        Of results of likelihood steps.
    random_state : int
    notes : tuple of str
        What the user should know.
    """

    energy_eV: np.ndarray
    response: Response | None
    noise: NoisePrior
    choice: Choice
    method: str = "auto"
    model: DeconvolverModel | None = None
    wanted_width: float | None = None
    align: bool = True
    blind: BlindResponse | None = None
    error_scale: ErrorScale = ErrorScale()
    random_state: int = 0
    notes: tuple[str, ...] = ()

    @property
    def target_width(self) -> float:
        """FWHM of the results, channels; the median where they differ."""
        if self.response is None:
            return DEFAULT_TARGET if self.wanted_width is None else self.wanted_width
        return float(np.median(target_widths(self.response, self.wanted_width)))

    def apply(self, block: np.ndarray) -> Deconvolved:
        """Deconvolve spectra; each gives the same, whatever else is in the block.

        Parameters
        ----------
        block : ndarray, shape (n, n_channels)
            Counts; integers or floats. Spectra with values that are not finite give
            NaN and are flagged.

        Returns
        -------
        Deconvolved

        Raises
        ------
        ValueError
            If the number of channels is another, or that of the responses.
        """
        block = np.asarray(block)
        self._check(block)
        usable = np.isfinite(block).all(axis=1)
        if not usable.all():
            return self._with_gaps(block, usable)
        counts = block.astype(float)
        response, blind = self._response(counts)
        spectra = self._measured(counts, response)
        widths = np.broadcast_to(
            target_widths(spectra.response, self.wanted_width), len(block)
        )
        starts = self._starts()
        found = run(self._ways(counts, spectra, starts), spectra, starts)
        spectra = explained(spectra, found.scene)
        return self._result(spectra, found, widths, blind)

    def _response(self, counts: np.ndarray) -> tuple[Response, BlindResponse | None]:
        if self.response is not None:
            return self.response, self.blind
        blind = response_of_each(counts, self.noise)
        return blind.response, blind

    def _measured(self, counts: np.ndarray, response: Response) -> Measured:
        zero_channel = _zero_channel(self.energy_eV)
        return measured(counts, self.noise, response, zero_channel, self.align)

    def _ways(
        self, counts: np.ndarray, spectra: Measured, starts: dict[str, Start]
    ) -> list[Candidate]:
        """The way of each spectrum."""
        if not self.choice.each:
            return [self.choice.best] * len(counts)
        scores = held_out_scores(
            counts, spectra, self.choice.paths, starts, self.random_state
        )
        return picked(scores, self.choice)

    def _starts(self) -> dict[str, Start]:
        starts: dict[str, Start] = {RICHARDSON_LUCY: from_zero_loss}
        if self.model is not None:
            starts[NETWORK] = network_start(self.model, self.wanted_width)
        return starts

    def _result(
        self,
        spectra: Measured,
        found: Begun,
        widths: np.ndarray,
        blind: BlindResponse | None,
    ) -> Deconvolved:
        expected = spectra.transfer.forward(found.scene).clamp_(min=0).numpy()
        read = spectra.read_variance.numpy()
        electrons = spectra.electrons.numpy()
        deviance = reduced_deviance(electrons, expected, read)
        noise = DetectorNoise(np.ones(len(read)), read[:, 0], np.zeros(len(read)))
        odd = flags(electrons, noise, spectra.response, expected, blind=blind)
        result = finished(spectra, found.scene, widths)
        errors = self.error_scale.errors(result, expected + read, found.errors)
        errors = np.hypot(errors, _level_error(spectra)[:, None])
        gain, offset = (
            np.broadcast_to(values, len(result))[:, None]
            for values in (spectra.noise.gain, spectra.noise.offset)
        )
        return Deconvolved(
            (result * gain).astype(np.float32),
            (errors * gain).astype(np.float32),
            (expected * gain + offset).astype(np.float32),
            deviance * self.noise.widening,
            (spectra.problem != "") | odd.flagged,
            spectra.shifts,
            self.choice,
            spectra.zero + spectra.moves,
            widths,
        )

    def _with_gaps(self, block: np.ndarray, usable: np.ndarray) -> Deconvolved:
        """The same where some spectra are not finite."""
        n = len(block)
        if not usable.any():
            blank = np.full(block.shape, np.nan, np.float32)
            none = np.full(n, np.nan)
            flagged = np.ones(n, dtype=bool)
            return Deconvolved(
                blank, blank, blank, none, flagged, none, self.choice, none, none
            )
        response = None if self.response is None else self.response.select(usable)
        some = replace(self, response=response).apply(block[usable])
        filled: dict[str, Any] = {}
        for name in ("spectra", "errors", "refolded", "deviance", "shifts"):
            filled[name] = _filled(getattr(some, name), usable, np.nan)
        for name in ("zero_channels", "target_width"):
            filled[name] = _filled(getattr(some, name), usable, np.nan)
        return replace(some, **filled, flagged=_filled(some.flagged, usable, True))

    def _check(self, block: np.ndarray) -> None:
        if block.ndim != 2 or block.shape[1] != self.energy_eV.size:
            raise ValueError(
                f"`block` has the shape {block.shape}; it needs spectra of "
                f"{self.energy_eV.size} channels, one a row."
            )
        if self.response is not None and len(self.response) not in (1, len(block)):
            raise ValueError(
                f"`block` has {len(block)} spectra, but there are "
                f"{len(self.response)} responses; give one, or one for each spectrum."
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
    sample, energy_eV = _checked(sample, energy_eV, method)
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
        _check_response(response, len(sample))
        own = response.select(rows)
    noise = _noise(counts, own, gain, read_noise)
    deconvolver = Deconvolver(
        energy_eV,
        response,
        noise,
        Choice(method, ""),
        method,
        _model(model, method),
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
    for _ in range(WIDENED):
        spectra = deconvolver._measured(counts, own)
        chosen = replace(deconvolver, choice=_chosen(deconvolver, counts, spectra))
        starts = chosen._starts()
        ways = chosen._ways(counts, spectra, starts)
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


def _level_error(spectra: Measured) -> np.ndarray:
    """Electrons per channel by which the offset may be off, shape (n,).

    Far before the zero loss, electrons that have gained energy look like an offset.
    """
    total = spectra.electrons.clamp(min=0).mean(dim=1).numpy().astype(float)
    known = np.broadcast_to(spectra.noise.offset == 0, len(total))
    return np.where(known, 0.0, LEVEL_ERROR * total)


def _chosen(deconvolver: Deconvolver, counts: np.ndarray, spectra: Measured) -> Choice:
    starts = deconvolver._starts()
    ways = paths(
        with_network=deconvolver.model is not None,
        with_richardson_lucy=deconvolver.method != NETWORK,
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


def _checked(
    sample: np.ndarray, energy_eV: np.ndarray, method: str
) -> tuple[np.ndarray, np.ndarray]:
    sample, energy = np.atleast_2d(np.asarray(sample)), np.asarray(energy_eV, float)
    if method not in METHODS:
        raise ValueError(f"`method` is {method!r}; choose one of {', '.join(METHODS)}.")
    if sample.ndim != 2 or energy.shape != sample.shape[1:]:
        raise ValueError(
            f"`sample` has the shape {sample.shape}, `energy_eV` {energy.shape}; give "
            "spectra, one a row, and the energy of each of their channels."
        )
    if energy.size < FEWEST_CHANNELS:
        raise ValueError(
            f"`sample` has {energy.size} channels; it needs {FEWEST_CHANNELS} or more."
        )
    steps = np.diff(energy)
    if not (steps > 0).all() or np.ptp(steps) > UNEVEN * steps.mean():
        raise ValueError(
            "`energy_eV` has to increase in equal steps; interpolate the spectra to a "
            "uniform axis, and reverse a decreasing one."
        )
    if not 0 < _zero_channel(energy) < energy.size - 1:
        raise ValueError(
            f"`energy_eV` runs from {energy[0]:.4g} to {energy[-1]:.4g} eV: no "
            "zero-loss peak is in the range. Give spectra with 0 eV on their axis."
        )
    return sample, energy


def _check_response(response: Response, n: int) -> None:
    if len(response) not in (1, n):
        raise ValueError(
            f"`response` has {len(response)} rows, `sample` {n} spectra; give one "
            "response, or one for each spectrum."
        )


def _model(model: DeconvolverModel | None, method: str) -> DeconvolverModel | None:
    from .deconvolver_model import default_deconvolver

    if method == RICHARDSON_LUCY:
        return None
    return default_deconvolver() if model is None else model


def _zero_channel(energy_eV: np.ndarray) -> float:
    return float(-energy_eV[0] / (energy_eV[1] - energy_eV[0]))


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


def _filled(values: np.ndarray, usable: np.ndarray, missing: Any) -> np.ndarray:
    filled = np.full((usable.size, *values.shape[1:]), missing, dtype=values.dtype)
    filled[usable] = values
    return filled
