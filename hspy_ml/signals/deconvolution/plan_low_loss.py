# SPDX-License-Identifier: GPL-3.0-or-later
"""How low-loss EELS spectra are to be deconvolved."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...deconvolution.zero_loss import find_zero_loss
from ..axes import energy_axis
from .blocks import sampled_spectra
from .given_response import GivenResponse, given_response
from .loading import given_model
from .plan import Plan

if TYPE_CHECKING:
    from ...deconvolution.deconvolve import Deconvolved, Deconvolver

__all__ = ["low_loss_plan"]

FEWEST_CHANNELS = 64
ALIGNED_WITHIN = 2.0  # widths of the peak from 0 eV; else the energy axis is moved


@dataclass(frozen=True, eq=False)
class _LowLossApply:
    """Deconvolve a block, with the PSF of each pixel where there is one."""

    deconvolver: Deconvolver
    of_each_pixel: bool
    single_scattering: bool

    def __call__(self, spectra: np.ndarray, pixels: np.ndarray) -> Deconvolved:
        deconvolver = self.deconvolver
        if self.of_each_pixel:
            response = deconvolver.response.select(pixels)
            deconvolver = replace(deconvolver, response=response)
        found = deconvolver.apply(spectra)
        return found.single_scattering() if self.single_scattering else found


def low_loss_plan(
    s: Any,
    spectra: Any,
    excluded: np.ndarray,
    *,
    model: Any,
    psf: Any,
    method: str,
    target_width_eV: float | None,
    align: bool,
    remove_plural_scattering: bool,
    gain: float | None,
    read_noise: float | None,
    random_state: int,
) -> Plan:
    """Decide on a sample of the spectra how all are deconvolved.

    Parameters
    ----------
    s : EELSSpectrum
    spectra : array, shape (n_pixels, n_channels)
    excluded : ndarray of bool, shape (n_pixels,)
    model, psf, method, target_width_eV, align, remove_plural_scattering, gain, \
    read_noise, random_state
        As for ``s.deconvolve_net``.

    Returns
    -------
    Plan

    Raises
    ------
    ValueError, TypeError
        If the energy axis, the spectra, the PSF or the model do not allow it.
    """
    from ...deconvolution.deconvolve import prepare_deconvolution

    energy = energy_axis(s, "eV")
    _check_size(energy)
    width = float(energy[1] - energy[0])
    sample, pixels = sampled_spectra(spectra, excluded)
    given = None if psf is None else given_response(s, psf, spectra, excluded)
    offset_change = _offset_change(energy, sample)
    deconvolver = prepare_deconvolution(
        sample,
        energy + offset_change,
        response=_of_sample(given, pixels),
        model=given_model(model),
        method=method,
        gain=gain,
        read_noise=read_noise,
        target_width=None if target_width_eV is None else target_width_eV / width,
        align=align,
        random_state=random_state,
    )
    of_each_pixel = given is not None and len(given.response) > 1
    if of_each_pixel:
        deconvolver = replace(deconvolver, response=given.response)
    notes = [*(given.notes if given else ()), *deconvolver.notes]
    if offset_change:
        notes.append(
            f"The zero of the energy axis was moved by {offset_change:.4g} eV."
        )
    response = deconvolver.response
    _warn_of_narrow_peaks(deconvolver)
    return Plan(
        _LowLossApply(deconvolver, of_each_pixel, remove_plural_scattering),
        {
            "method": deconvolver.choice.method,
            "blind": psf is None,
            "target_width_eV": deconvolver.target_width * width,
            "single_scattering": remove_plural_scattering,
            "held_out": deconvolver.choice.scores,
        },
        notes,
        None if response is None else response.kernel.mean(axis=0),
        offset_change / (1000.0 if _in_keV(s) else 1.0),
    )


def _check_size(energy: np.ndarray) -> None:
    if energy.size < FEWEST_CHANNELS:
        raise ValueError(
            f"`s` has {energy.size} channels; a low-loss spectrum with its zero-loss "
            f"peak needs {FEWEST_CHANNELS} or more."
        )


def _of_sample(given: GivenResponse | None, pixels: np.ndarray) -> Any:
    return None if given is None else given.response.select(pixels)


def _offset_change(energy: np.ndarray, sample: np.ndarray) -> float:
    """Whole channels, in eV, by which the axis has to be moved for the zero loss.

    A peak near 0 eV is put there by moving the spectrum, since the axis is right but
    for the drift. One far away tells that the axis was not calibrated.
    """
    peaks = find_zero_loss(sample)
    width = energy[1] - energy[0]
    found = np.isfinite(peaks.centre)
    if not found.any():
        peaks.check("s")
    centre = energy[0] + width * float(np.median(peaks.centre[found]))
    if abs(centre) <= ALIGNED_WITHIN * width * float(np.median(peaks.fwhm[found])):
        return 0.0
    return -width * round(centre / width)


def _warn_of_narrow_peaks(deconvolver: Deconvolver) -> None:
    response = deconvolver.response
    if response is None:
        return
    own, target = float(np.median(response.fwhm)), deconvolver.target_width
    if target >= own:
        warnings.warn(
            f"The zero-loss peak is {own:.2g} channels wide: too narrow to be "
            "sharpened, so that the resolution is left as it is. Plural scattering can "
            "be removed all the same (`remove_plural_scattering=True`).",
            stacklevel=5,
        )


def _in_keV(s: Any) -> bool:
    from ..axes import energy_unit

    return energy_unit(s.axes_manager.signal_axes[0]) == "keV"
