# SPDX-License-Identifier: GPL-3.0-or-later
"""A decided way of deconvolving, applied to blocks of spectra."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from .arbiter import Choice, held_out_scores, picked
from .candidates import (
    NETWORK,
    RICHARDSON_LUCY,
    Begun,
    Candidate,
    Start,
    from_zero_loss,
    run,
)
from .deconvolved import Deconvolved, finished, reduced_deviance, unsharpened
from .explaining import explained, realigned
from .measured import Measured, measured
from .network_start import network_start
from .noise import DetectorNoise
from .noise_prior import NoisePrior
from .outlying import flags
from .own_response import response_of_each
from .replicate_errors import ErrorScale
from .target import DEFAULT_TARGET, target_widths

if TYPE_CHECKING:
    from .blind_response import BlindResponse
    from .deconvolver_model import DeconvolverModel
    from .response import Response

__all__ = ["Deconvolver", "zero_channel"]

JUDGED_UNCHANGED = ("counts before the peak", "few electrons without loss")
LEVEL_BEFORE = 3.0  # widths before the zero loss, where the offset is measured
LEVEL_CHANNELS = 24  # from which its statistical error is read
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
    def estimated(self) -> bool:
        """Whether the response was estimated from the spectra."""
        return self.response is None or self.blind is not None

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
        spectra = self.measure(counts, response)
        widths = np.broadcast_to(
            target_widths(spectra.response, self.wanted_width), len(block)
        )
        narrow = widths >= spectra.fwhm
        if narrow.all():
            return self._unsharpened(spectra)
        sharp = self._sharpened(counts, spectra, widths, blind)
        if not narrow.any():
            return sharp
        return sharp.with_rows(narrow, self._unsharpened(spectra.select(narrow)))

    def _unsharpened(self, spectra: Measured) -> Deconvolved:
        kept = unsharpened(spectra, self.choice)
        electrons, read = spectra.electrons.numpy(), spectra.read_variance.numpy()
        noise = DetectorNoise.of_electrons(read[:, 0])
        odd = flags(electrons, noise, spectra.response, electrons, peaks=spectra)
        judged = [odd.reasons.index(reason) for reason in JUDGED_UNCHANGED]
        flagged = kept.flagged | (odd.values[:, judged] >= 1).any(axis=1)
        return replace(kept, flagged=flagged)

    def _sharpened(
        self,
        counts: np.ndarray,
        spectra: Measured,
        widths: np.ndarray,
        blind: BlindResponse | None,
    ) -> Deconvolved:
        starts = self.starts()
        ways = self.ways(counts, spectra, starts)
        found = run(ways, spectra, starts)
        spectra, rows = realigned(spectra, found.scene)
        if rows.size:
            again = run([ways[k] for k in rows], spectra.select(rows), starts)
            for old, new in zip(found, again, strict=True):
                old[rows] = new
            spectra = explained(spectra, found.scene, rows)
            more = (found.scene[rows] != again.scene).any(dim=1).numpy()
            found.losses[rows[more]] = np.nan
        stepped = np.array([way.n_steps > 0 for way in ways])
        return self._result(spectra, found, stepped, widths, blind)

    def _response(self, counts: np.ndarray) -> tuple[Response, BlindResponse | None]:
        if self.response is not None:
            return self.response, self.blind
        blind = response_of_each(counts, self.noise)
        return blind.response, blind

    def measure(self, counts: np.ndarray, response: Response) -> Measured:
        """Noise, alignment and transfer of spectra.

        Parameters
        ----------
        counts : ndarray, shape (n, n_channels)
        response : Response

        Returns
        -------
        Measured
        """
        at = zero_channel(self.energy_eV)
        return measured(counts, self.noise, response, at, self.align)

    def ways(
        self, counts: np.ndarray, spectra: Measured, starts: dict[str, Start]
    ) -> list[Candidate]:
        """The way of each spectrum.

        Parameters
        ----------
        counts : ndarray, shape (n, n_channels)
        spectra : Measured
            The same.
        starts : dict of str to callable

        Returns
        -------
        list of Candidate
        """
        if not self.choice.each:
            return [self.choice.best] * len(counts)
        scores = held_out_scores(
            counts, spectra, self.choice.paths, starts, self.random_state
        )
        return picked(scores, self.choice)

    def starts(self) -> dict[str, Start]:
        """Where likelihood steps may start.

        Returns
        -------
        dict of str to callable
        """
        starts: dict[str, Start] = {RICHARDSON_LUCY: from_zero_loss}
        if self.model is not None:
            doubt = float(self.estimated)
            starts[NETWORK] = network_start(self.model, self.wanted_width, doubt)
        return starts

    def _result(
        self,
        spectra: Measured,
        found: Begun,
        stepped: np.ndarray,
        widths: np.ndarray,
        blind: BlindResponse | None,
    ) -> Deconvolved:
        expected = spectra.transfer.forward(found.scene).clamp_(min=0).numpy()
        read = spectra.read_variance.numpy()
        electrons = spectra.electrons.numpy()
        deviance = reduced_deviance(electrons, expected, read)
        noise = DetectorNoise.of_electrons(read[:, 0])
        odd = flags(
            electrons, noise, spectra.response, expected, blind=blind, peaks=spectra
        )
        result = finished(spectra, found.scene, widths, found.losses)
        errors = self.error_scale.errors(result, expected + read, found.errors, stepped)
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
        return some.spread_over(usable)

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


def _level_error(spectra: Measured) -> np.ndarray:
    """Electrons per channel by which the offset may be off, shape (n,).

    It is a mean of the channels before the peak. And electrons that have gained energy
    look like an offset there.
    """
    total = spectra.electrons.clamp(min=0).mean(dim=1).numpy().astype(float)
    before = spectra.zero - LEVEL_BEFORE * spectra.fwhm
    first = spectra.electrons[:, :LEVEL_CHANNELS].numpy()
    scatter = first.std(axis=1) / np.sqrt(np.maximum(before, LEVEL_CHANNELS))
    known = np.broadcast_to(spectra.noise.offset == 0, len(total))
    return np.where(known, 0.0, np.hypot(scatter, LEVEL_ERROR * total))


def zero_channel(energy_eV: np.ndarray) -> float:
    """Where 0 eV is.

    Parameters
    ----------
    energy_eV : ndarray, shape (n_channels,)
        Uniform.

    Returns
    -------
    float
        In channels.
    """
    return float(-energy_eV[0] / (energy_eV[1] - energy_eV[0]))
