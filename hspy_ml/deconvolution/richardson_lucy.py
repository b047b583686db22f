# SPDX-License-Identifier: GPL-3.0-or-later
"""Richardson-Lucy deconvolution of a batch of spectra, with read-out noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .shrinkage import shrink_noise

if TYPE_CHECKING:
    import torch

    from .transfer import Transfer

__all__ = ["likelihood_steps", "richardson_lucy", "start_with_zero_loss"]

_LARGEST_RATIO = 1e3  # of measured and expected counts in one step
_FACTORS = 0.05, 20.0  # by which an iteration changes a channel
_LARGEST_SHARE = 10.0  # of all electrons, in a channel of a scene
_LEAST_SENSITIVITY = 0.02  # of a channel in the margins, that is divided by
_LEAST_EXPECTED = 1e-6  # of the mean counts
_LEAST_START = 1e-4  # of the mean counts, in every channel of a scene
_SHRUNK_EVERY = 10  # iterations
_SHRINK_BELOW = 4.0  # standard errors: what of a start is taken for noise


def richardson_lucy(
    electrons: np.ndarray,
    transfer: Transfer,
    n_iterations: int,
    start: np.ndarray | None = None,
    read_variance: np.ndarray | float | None = None,
    noise_threshold: float = 0.0,
) -> np.ndarray:
    """Find the scene that explains spectra, by expectation maximisation.

    Parameters
    ----------
    electrons : ndarray, shape (n, n_channels)
        Measured, in electrons; may be negative. Any real type.
    transfer : Transfer
    n_iterations : int
        0 gives the start.
    start : ndarray, shape (n, n_scene), optional
        Non-negative. The spectra themselves if not given, moved by nothing.
    read_variance : float or ndarray, shape (n,), optional
        Of reading out, electrons^2.
    noise_threshold : float, default 0
        In standard errors, see `likelihood_steps`.

    Returns
    -------
    ndarray of float32, shape (n, n_scene)
        Non-negative and finite.

    Raises
    ------
    ValueError
        If the spectra hold values that are not finite, or shapes do not fit.

    Notes
    -----
    Each iteration multiplies the scene by the response's transpose of the ratio of
    measured to expected counts, over the transpose of one. Counts with read-out noise
    of variance r^2 have r^2 added on both sides of the ratio, which makes them Poisson
    to second order (D. L. Snyder et al., J. Opt. Soc. Am. A 12 (1995) 272); what is
    negative nevertheless stays so, as without it dark channels would seem bright.
    Ratios and factors are limited: a channel where nothing is expected does no harm.

    References
    ----------
    W. H. Richardson, J. Opt. Soc. Am. 62 (1972) 55; L. B. Lucy, Astron. J. 79
    (1974) 745.
    """
    import torch

    measured = _checked(electrons, transfer)
    variance = _column(read_variance, len(measured))
    if start is None:
        scene = transfer.with_margins(measured.clamp(min=0))
    else:
        scene = torch.tensor(np.asarray(start, dtype=np.float32))
    if tuple(scene.shape) != (len(measured), transfer.n_scene):
        raise ValueError(
            f"`start` has the shape {tuple(scene.shape)}; it has to be "
            f"{(len(measured), transfer.n_scene)}, with the margins."
        )
    with torch.no_grad():
        likelihood_steps(
            measured, transfer, scene, n_iterations, variance, noise_threshold
        )
    return scene.numpy()


def likelihood_steps(
    measured: torch.Tensor,
    transfer: Transfer,
    scene: torch.Tensor,
    n_iterations: int,
    read_variance: torch.Tensor,
    noise_threshold: float = 0.0,
) -> torch.Tensor:
    """Richardson-Lucy iterations on tensors, in place.

    Parameters
    ----------
    measured : torch.Tensor of float32, shape (n, n_channels)
        Electrons.
    transfer : Transfer
    scene : torch.Tensor of float32, shape (n, n_scene)
        Where to start; is changed.
    n_iterations : int
    read_variance : torch.Tensor of float32, shape (n, 1)
        Electrons^2.
    noise_threshold : float, default 0
        With it, every ten iterations, the details of the residual that are noise, by
        this many standard errors, are taken off what was measured: iterations then
        follow only what stands out of the noise (F. Murtagh, J.-L. Starck & A. Bijaoui,
        Astron. Astrophys. Suppl. Ser. 112 (1995) 179).

    Returns
    -------
    torch.Tensor
        `scene`.
    """
    scene.clamp_(min=0)
    if noise_threshold <= 0:
        return _iterate(measured, transfer, scene, n_iterations, read_variance)
    for done in range(0, n_iterations, _SHRUNK_EVERY):
        expected = transfer.forward(scene).clamp_(min=0)
        variance = expected + read_variance
        shrunk = shrink_noise(
            measured - expected, variance, noise_threshold, transfer.fwhm
        )
        few = min(_SHRUNK_EVERY, n_iterations - done)
        _iterate(shrunk.add_(expected), transfer, scene, few, read_variance)
    return scene


def _iterate(measured, transfer, scene, n_iterations, read_variance) -> torch.Tensor:
    shifted = measured + read_variance
    mean = shifted.mean(dim=1, keepdim=True).clamp_(min=0)
    added = read_variance + _LEAST_EXPECTED * mean + 1e-30
    most = _LARGEST_SHARE * measured.clamp(min=0).sum(dim=1, keepdim=True) + 1
    inverse = 1 / transfer.sensitivity.clamp(min=_LEAST_SENSITIVITY)
    for _ in range(n_iterations):
        ratio = transfer.forward(scene).clamp_(min=0)
        ratio.add_(added).reciprocal_().mul_(shifted)
        ratio.clamp_(-_LARGEST_RATIO, _LARGEST_RATIO)
        factor = transfer.backward(ratio).mul_(inverse)
        scene.mul_(factor.clamp_(*_FACTORS)).clamp_(max=most)
    return scene


def start_with_zero_loss(
    measured: torch.Tensor,
    transfer: Transfer,
    zero_channel: int,
    read_variance: torch.Tensor,
) -> torch.Tensor:
    """A scene of a sharp zero-loss line, and of what the spectrum holds beside it.

    Iterations from it converge in tens, where a line that is as broad as the response
    at the start takes thousands to become sharp and so release the losses beside it.

    Parameters
    ----------
    measured : torch.Tensor of float32, shape (n, n_channels)
        Electrons.
    transfer : Transfer
    zero_channel : int
        Channel of the axis on which the zero loss of the scene lies.
    read_variance : torch.Tensor of float32, shape (n, 1)
        Electrons^2.

    Returns
    -------
    torch.Tensor of float32, shape (n, n_scene)
        The line has the height of the top of the measured peak; the rest is what the
        line does not explain and noise does not either.
    """
    import torch

    scene = torch.zeros(measured.shape[0], transfer.n_scene)
    at = zero_channel + transfer.margin
    scene[:, at] = 1
    line = transfer.forward(scene).clamp_(min=0)
    top = line > 0.5 * line.max(dim=1, keepdim=True).values
    area = (measured * top).sum(dim=1) / (line * top).sum(dim=1).clamp(min=1e-30)
    area.clamp_(min=0)
    line.mul_(area[:, None])
    rest = measured - line
    variance = line.add_(rest.clamp(min=0)).add_(read_variance)
    rest = shrink_noise(rest, _averaged(variance), _SHRINK_BELOW, transfer.fwhm)
    rest.clamp_(min=0)
    least = _LEAST_START * measured.clamp(min=0).mean(dim=1, keepdim=True) + 1e-30
    scene = transfer.with_margins(rest.add_(least))
    scene[:, at] += area
    return scene


def _averaged(variance: torch.Tensor) -> torch.Tensor:
    import torch

    padded = torch.nn.functional.pad(variance[:, None], (2, 2), mode="replicate")
    return torch.nn.functional.avg_pool1d(padded, 5, 1)[:, 0]


def _checked(electrons: np.ndarray, transfer: Transfer) -> torch.Tensor:
    import torch

    electrons = np.asarray(electrons)
    if electrons.ndim != 2 or electrons.shape[1] != transfer.n_channels:
        raise ValueError(
            f"`electrons` has the shape {electrons.shape}; it needs spectra of "
            f"{transfer.n_channels} channels, one a row."
        )
    if len(transfer) not in (1, len(electrons)):
        raise ValueError(
            f"`transfer` serves {len(transfer)} spectra, `electrons` has "
            f"{len(electrons)}; give one response, or one for each."
        )
    if not np.isfinite(electrons).all():
        raise ValueError("`electrons` holds NaN or infinite values; replace them.")
    return torch.from_numpy(electrons.astype(np.float32))


def _column(read_variance: np.ndarray | float | None, n: int) -> torch.Tensor:
    import torch

    values = np.asarray(0.0 if read_variance is None else read_variance, np.float32)
    return torch.from_numpy(np.broadcast_to(values.reshape(-1), n).copy())[:, None]
