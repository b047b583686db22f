# SPDX-License-Identifier: GPL-3.0-or-later
"""How X-ray spectra are to be deconvolved."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..acquisition import acquisition_from_signal
from .blocks import sampled_spectra
from .loading import given_xray_model
from .plan import Plan

if TYPE_CHECKING:
    from ...deconvolution.deconvolve import Deconvolved
    from ...deconvolution.xray_deconvolve import XrayDeconvolver

__all__ = ["xray_plan"]


@dataclass(frozen=True, eq=False)
class _XrayApply:
    deconvolver: XrayDeconvolver

    def __call__(self, spectra: np.ndarray, pixels: np.ndarray) -> Deconvolved:
        return self.deconvolver.apply(spectra)


def xray_plan(
    s: Any,
    spectra: Any,
    excluded: np.ndarray,
    *,
    model: Any,
    method: str,
    target_width_eV: float | None,
    detector: Any,
    gain: float | None,
    random_state: int,
) -> Plan:
    """Decide on a sample of the spectra how all are deconvolved.

    Parameters
    ----------
    s : EDSTEMSpectrum or EDSSEMSpectrum
    spectra : array, shape (n_pixels, n_channels)
    excluded : ndarray of bool, shape (n_pixels,)
    model, method, target_width_eV, detector, gain, random_state
        As for ``s.deconvolve_net``.

    Returns
    -------
    Plan

    Raises
    ------
    ValueError, TypeError
        If the energy axis, the spectra, the metadata or the model do not allow it.
    """
    from ...deconvolution.xray_deconvolve import prepare_xray_deconvolution

    acquisition = acquisition_from_signal(s, detector)
    sample, _ = sampled_spectra(spectra, excluded)
    deconvolver = prepare_xray_deconvolution(
        sample,
        acquisition,
        model=given_xray_model(model),
        method=method,
        gain=gain,
        target_width_eV=target_width_eV,
        random_state=random_state,
    )
    return Plan(
        _XrayApply(deconvolver),
        {
            "method": deconvolver.choice.method,
            "held_out": deconvolver.choice.scores,
        },
        list(deconvolver.notes),
    )
