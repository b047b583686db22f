# SPDX-License-Identifier: GPL-3.0-or-later
"""The network's result as a scene, from which likelihood steps can go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .candidates import Begun, Start
from .noise import DetectorNoise
from .transfer import gaussian_transform

if TYPE_CHECKING:
    import torch

    from .deconvolver_model import DeconvolverModel
    from .measured import Measured

__all__ = ["network_start", "without_gaussian"]

_SHARPENING = 5  # iterations: the network's losses are smooth
_LEAST = 1e-9  # of the mean, that is divided by


def network_start(
    model: DeconvolverModel, wanted_width: float | None, doubt: float = 0.0
) -> Start:
    """The start that a network gives.

    Parameters
    ----------
    model : DeconvolverModel
    wanted_width : float or None
        FWHM of the result in channels, see `target_widths`.
    doubt : float, default 0
        One where the response was estimated from the spectra.

    Returns
    -------
    callable
        From measured spectra to a scene, and the network's standard errors.
    """

    def start(spectra: Measured) -> Begun:
        import torch

        from .restore import restore
        from .target import target_widths

        found = restore(
            spectra.electrons.numpy(),
            spectra.response,
            DetectorNoise.of_electrons(spectra.read_variance[:, 0].numpy()),
            model,
            zero_channel=float(spectra.zero),
            centre=spectra.zero
            + np.broadcast_to(spectra.transfer.shifts, len(spectra)),
            target_width=wanted_width,
            doubt=doubt,
        )
        widths = target_widths(spectra.response, wanted_width)
        losses = spectra.transfer.with_margins(torch.from_numpy(found.losses))
        scene = without_gaussian(losses, widths)
        at = spectra.zero + spectra.transfer.margin
        scene[:, at] += torch.from_numpy(np.asarray(found.area, np.float32))
        return Begun(scene, found.errors, found.losses)

    return start


def without_gaussian(smooth: torch.Tensor, fwhm: np.ndarray) -> torch.Tensor:
    """A non-negative scene that is the given one when a Gaussian blurs it.

    Parameters
    ----------
    smooth : torch.Tensor, shape (n, n_scene)
        Not negative.
    fwhm : ndarray, shape (n or 1,)
        Of the Gaussian, in channels.

    Returns
    -------
    torch.Tensor, shape (n, n_scene)
        After a few Richardson-Lucy iterations.
    """
    import torch

    length = smooth.shape[1] + 2 * int(np.ceil(3 * np.max(fwhm)))
    length += length % 2
    transform = gaussian_transform(fwhm, length).astype(np.complex64)
    transform = torch.from_numpy(transform)

    def blurred(values: torch.Tensor) -> torch.Tensor:
        product = torch.fft.rfft(values, n=length) * transform
        return torch.fft.irfft(product, n=length)[:, : smooth.shape[1]].clamp_(min=0)

    least = _LEAST * smooth.mean(dim=1, keepdim=True) + 1e-30
    inside = blurred(torch.ones_like(smooth[:1])).clamp_(min=0.1)
    scene = smooth + least
    for _ in range(_SHARPENING):
        ratio = (smooth + least) / (blurred(scene) + least)
        scene.mul_(blurred(ratio)).div_(inside)
    return scene
