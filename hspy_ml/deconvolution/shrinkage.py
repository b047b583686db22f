# SPDX-License-Identifier: GPL-3.0-or-later
"""Noise taken off spectra scale by scale, where nothing stands out of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["shrink_noise"]

N_SCALES = 8
_FINE_THRESHOLD = 4.0
_FINER_THAN = 4.0  # distances of a smoothing, that the response is wide
#: Standard deviations of the details of white noise of variance one, at each scale.
_DETAIL_NOISE = (0.7235, 0.2854, 0.1778, 0.1222, 0.0858, 0.0606, 0.0428, 0.0303)


def shrink_noise(
    residual: torch.Tensor,
    variance: torch.Tensor,
    threshold: float,
    fwhm: torch.Tensor | float = 0.0,
) -> torch.Tensor:
    """Shrink the details of a residual that noise alone could make.

    Parameters
    ----------
    residual : torch.Tensor, shape (n, n_channels)
        With independent noise in its channels, about a mean of any shape.
    variance : torch.Tensor, shape (n, n_channels)
        Of the noise.
    threshold : float
        In standard deviations: a detail ``d`` of noise ``s`` is multiplied by
        ``1 - (threshold s / d)^2``, or zero if that is negative.
    fwhm : float or torch.Tensor, shape (n, 1), default 0
        Of the response, in channels: details finer than a quarter of it are hardly
        ever signal, and have to be four standard deviations.

    Returns
    -------
    torch.Tensor, shape (n, n_channels)
        The coarsest scale and the details that are left.

    Notes
    -----
    Details are differences of successive smoothings by a cubic spline, at distances of
    1, 2, 4 ... 128 channels (J.-L. Starck, F. Murtagh, "Astronomical Image and Data
    Analysis", Springer 2006, ch. 2); the shrinkage is the non-negative garrote (L.
    Breiman, Technometrics 37 (1995) 373).
    """
    smooth, spread, kept = residual, variance, 0.0
    for scale in range(min(N_SCALES, _n_scales(residual.shape[1]))):
        step = 2**scale
        smoother = _spline_smoothed(smooth, step)
        spread = _spline_smoothed(spread, step)
        detail = smooth - smoother
        limit = _limit(threshold, step, fwhm)
        noise = spread * (limit * _DETAIL_NOISE[scale]) ** 2
        share = 1 - noise / detail.square().clamp_(min=1e-30)
        kept = kept + detail.mul_(share.clamp_(min=0))
        smooth = smoother
    return smooth + kept


def _limit(
    threshold: float, step: int, fwhm: torch.Tensor | float
) -> torch.Tensor | float:
    import torch

    fine = torch.as_tensor(fwhm) > _FINER_THAN * step
    return torch.where(fine, max(threshold, _FINE_THRESHOLD), threshold)


def _n_scales(n_channels: int) -> int:
    """As many as leave the ends of the coarsest smoothing within the spectrum."""
    return max(1, (n_channels // 4).bit_length() - 1)


def _spline_smoothed(values: torch.Tensor, step: int) -> torch.Tensor:
    import torch

    n = values.shape[1]
    reach = 2 * step
    padded = torch.nn.functional.pad(values[:, None], (reach, reach), mode="reflect")
    padded = padded[:, 0]
    smooth = padded[:, reach : reach + n] * 0.375
    smooth.add_(padded[:, step : step + n], alpha=0.25)
    smooth.add_(padded[:, 3 * step : 3 * step + n], alpha=0.25)
    smooth.add_(padded[:, :n], alpha=0.0625)
    return smooth.add_(padded[:, 4 * step :], alpha=0.0625)
