# SPDX-License-Identifier: GPL-3.0-or-later
"""A low-loss spectrum of plasmons, for plural scattering."""

from __future__ import annotations

import numpy as np

from ..physics.low_loss import LowLoss

__all__ = ["plasmon_low_loss"]

FIRST_EV, LAST_EV = -20.0, 400.0
LARGEST_THICKNESS = 5.0
FWHM_PER_SIGMA = np.sqrt(8 * np.log(2))


def plasmon_low_loss(
    thickness_over_mean_free_path: float,
    *,
    channel_width_eV: float = 0.5,
    plasmon_energy_eV: float = 22.0,
    plasmon_width_eV: float = 5.0,
    zero_loss_width_eV: float = 1.0,
) -> LowLoss:
    r"""How often, and how much, electrons lose energy to plasmons.

    The numbers of losses are Poisson, with the thickness in mean free paths as their
    mean; the energy of each follows the Drude model,

    .. math:: \frac{E \, \Gamma E_p^2}{(E^2 - E_p^2)^2 + (E \Gamma)^2}

    Parameters
    ----------
    thickness_over_mean_free_path : float
        From 0 to 5.
    channel_width_eV : float, default 0.5
    plasmon_energy_eV, plasmon_width_eV : float, default 22 and 5
        :math:`E_p` and :math:`\Gamma`.
    zero_loss_width_eV : float, default 1
        Full width at half maximum of the Gaussian zero-loss peak.

    Returns
    -------
    LowLoss
        From -20 to 400 eV.

    Raises
    ------
    ValueError
        If the thickness is not between 0 and 5.

    References
    ----------
    R. F. Egerton, Electron Energy-Loss Spectroscopy in the Electron Microscope, 3rd
    ed. (2011), sections 3.3.1 (Drude model) and 3.3.6, 4.1 (plural scattering).
    """
    if not 0 <= thickness_over_mean_free_path <= LARGEST_THICKNESS:
        raise ValueError(
            f"`thickness_over_mean_free_path` is {thickness_over_mean_free_path}; it "
            f"must be from 0 to {LARGEST_THICKNESS:g}."
        )
    n_before = round(-FIRST_EV / channel_width_eV)
    n_after = round(LAST_EV / channel_width_eV)
    energy = channel_width_eV * np.arange(-n_before, n_after + 1)
    loss = energy.clip(0)
    single = loss / (
        (loss**2 - plasmon_energy_eV**2) ** 2 + (loss * plasmon_width_eV) ** 2
    )
    sigma = zero_loss_width_eV / FWHM_PER_SIGMA
    zero_loss = np.exp(-0.5 * (energy / sigma) ** 2)
    share = _plural(zero_loss, single, thickness_over_mean_free_path, n_before)
    return LowLoss(energy, share / share.sum())


def _plural(
    zero_loss: np.ndarray, single: np.ndarray, mean: float, zero: int
) -> np.ndarray:
    r"""A peak, convolved with any number of losses: :math:`Z e^{m (S - 1)}`."""
    size = 4 * zero_loss.size  # so that what leaves the axis does not come back
    one_loss = np.fft.rfft(np.roll(np.pad(single, (0, size - single.size)), -zero))
    one_loss = one_loss / single.sum()
    peak = np.fft.rfft(zero_loss, size)
    share = np.fft.irfft(peak * np.exp(mean * (one_loss - 1)), size)
    return share[: zero_loss.size].clip(0)
