# SPDX-License-Identifier: GPL-3.0-or-later
"""`deconvolve_net` on a signal: read, decide on a sample, deconvolve every spectrum."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from ..acquisition import technique_of
from ..data import signal_array
from ..masks import flat_navigation_mask
from ..options import check_amount, check_choice, check_number
from ..plain import plain_values
from .blocks import deconvolved, lazily_deconvolved
from .plan import Plan
from .plan_low_loss import low_loss_plan
from .plan_xray import xray_plan
from .result import deconvolved_signal

__all__ = ["METHODS", "deconvolve_net"]

METHODS = ("auto", "network", "richardson-lucy")


def deconvolve_net(
    s: Any,
    model: Any = None,
    *,
    psf: Any = None,
    method: str = "auto",
    target_width_eV: float | None = None,
    align: bool = True,
    remove_plural_scattering: bool = False,
    gain: float | None = None,
    read_noise: float | None = None,
    detector: Any = "auto",
    navigation_mask: Any = None,
    random_state: int | None = None,
    show_progressbar: bool | None = None,
    num_workers: int | None = None,
) -> Any:
    """See :func:`hspy_ml.signals.deconvolution_methods.deconvolve_net`."""
    from ...networks.threads import one_torch_thread

    technique = technique_of(s)
    check_choice("method", method, METHODS)
    _check_numbers(target_width_eV, gain, read_noise, num_workers, random_state)
    spectra = signal_array(s)
    excluded = flat_navigation_mask(s, navigation_mask)
    options = {
        "model": model,
        "method": method,
        "target_width_eV": target_width_eV,
        "gain": gain,
        "random_state": random_state or 0,
    }
    with one_torch_thread():
        if technique == "EELS":
            plan = low_loss_plan(
                s,
                spectra,
                excluded,
                psf=psf,
                align=align,
                remove_plural_scattering=remove_plural_scattering,
                read_noise=read_noise,
                **options,
            )
        else:
            _check_x_rays(psf, read_noise, remove_plural_scattering)
            plan = xray_plan(s, spectra, excluded, detector=detector, **options)
    return _carried_out(s, plan, spectra, excluded, show_progressbar, num_workers)


def _carried_out(
    s: Any,
    plan: Plan,
    spectra: Any,
    excluded: np.ndarray,
    show_progressbar: bool | None,
    num_workers: int | None,
) -> Any:
    if s._lazy:
        arrays = lazily_deconvolved(plan.apply, spectra, excluded)
    else:
        arrays = deconvolved(
            plan.apply, spectra, excluded, show_progressbar, num_workers
        )
        _warn_of_flags(arrays.flagged, excluded)
    return deconvolved_signal(
        s,
        arrays,
        settings=plain_values(plan.settings),
        notes=plan.notes,
        response=plan.response,
        offset_change=plan.offset_change,
    )


def _warn_of_flags(flagged: np.ndarray, excluded: np.ndarray) -> None:
    n_flagged, n = int(flagged.sum()), int((~excluded).sum())
    if n_flagged:
        what = "The spectrum is" if n == 1 else f"{n_flagged} of {n} spectra are"
        warnings.warn(
            f"{what} outside of what the deconvolution was made for, or not explained "
            "by its result (flagged): do not trust it there. "
            "`hspy_ml.deconvolution_report(result)` says more; a measured `psf=`, "
            "`method='richardson-lucy'` or a model of your own "
            "(`hspy_ml.train_deconvolver`) may do better.",
            stacklevel=4,
        )


def _check_numbers(
    target_width_eV: Any, gain: Any, read_noise: Any, num_workers: Any, seed: Any
) -> None:
    if target_width_eV is not None:
        check_number("target_width_eV", target_width_eV)
    if gain is not None:
        check_number("gain", gain)
    if read_noise is not None:
        check_number("read_noise", read_noise, zero=True)
    if num_workers is not None:
        check_amount("num_workers", num_workers)
    if seed is not None:
        check_amount("random_state", seed, zero=True)


def _check_x_rays(psf: Any, read_noise: Any, single: bool) -> None:
    """Refuse what only energy losses have."""
    if psf is not None:
        raise ValueError(
            "`psf` was given, but the response of an EDS detector changes with the "
            "energy: it is computed from its resolution. Set that with "
            "`s.set_microscope_parameters(energy_resolution_MnKa=...)`."
        )
    if read_noise is not None or single:
        name = "remove_plural_scattering" if single else "read_noise"
        raise ValueError(f"`{name}` is for EELS; leave it out for EDS.")
