# SPDX-License-Identifier: GPL-3.0-or-later
"""How wide the network's errors have to be so that they hold, dose by dose."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from .xray_network import XrayNetwork, standard_errors
from .xray_stream import XrayStream

__all__ = ["calibrate", "covered"]

N_SPECTRA = 64  # at each dose
COVERAGES = ((1.0, 0.68), (1.96, 0.95))  # standard errors, and what is to be within
WIDENINGS = (0.05, 50.0)
N_HALVINGS = 30


def calibrate(network: XrayNetwork, random_state: int) -> None:
    """Set the widening of the network's errors, in place.

    Between what 68 % within one standard error ask for and 95 % within 1.96.

    Parameters
    ----------
    network : XrayNetwork
        Trained.
    random_state : int
        Of fresh spectra.
    """
    network.eval()
    found = []
    for log_dose in network.log_doses.tolist():
        dose = float(np.exp(log_dose))
        stream = XrayStream((dose, dose), random_state=random_state)
        answer = _answer(network, stream.draw(N_SPECTRA, random_state))
        widenings = [_widening(answer, *wanted) for wanted in COVERAGES]
        found.append(float(np.mean(np.log(widenings))))
    network.log_widening.copy_(torch.tensor(found))


def _answer(network: XrayNetwork, drawn: tuple[np.ndarray, ...]) -> tuple[Tensor, ...]:
    shown, start, truth, weight, _ = map(torch.from_numpy, drawn)
    with torch.no_grad():
        root, log_scale = network(shown, start)
    compared = weight > 0
    return root[compared], log_scale.exp()[compared], truth[compared]


def covered(answer: tuple[Tensor, ...], widening: float, n_errors: float) -> float:
    """Share of the channels whose truth lies within some standard errors.

    Parameters
    ----------
    answer : tuple of Tensor
        Square roots, their scales, and true counts.
    widening, n_errors : float

    Returns
    -------
    float
    """
    root, scale, truth = answer
    errors = standard_errors(root, widening * scale)
    return float(((root**2 - truth).abs() < n_errors * errors).float().mean())


def _widening(answer: tuple[Tensor, ...], n_errors: float, wanted: float) -> float:
    low, high = np.log(WIDENINGS)
    for _ in range(N_HALVINGS):
        middle = (low + high) / 2
        if covered(answer, float(np.exp(middle)), n_errors) < wanted:
            low = middle
        else:
            high = middle
    return float(np.exp(middle))
