# SPDX-License-Identifier: GPL-3.0-or-later
"""Probabilities that mean what they say at every dose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .network_stream import PhaseStream, SpectrumBank

if TYPE_CHECKING:
    from torch import Tensor

    from ..networks.phase_network import PhaseNetwork

__all__ = ["calibrate_sharpness", "calibration_error", "scores_of"]

SPECTRA_PER_DOSE = 4096
SHARPNESSES = np.geomspace(0.25, 4.0, 49)
SCORED_COUNTS = (30.0, 100.0, 300.0, 1000.0, 10000.0)
CONFIDENCE_BINS = 15


def calibrate_sharpness(
    network: PhaseNetwork, bank: SpectrumBank, rng: np.random.Generator
) -> None:
    """Set by how much the network's odds are to be sharpened at each dose.

    At each, the factor maximises the likelihood of the true phases of fresh spectra.

    Parameters
    ----------
    network : PhaseNetwork
        Trained; its calibration is replaced.
    bank : SpectrumBank
        Variants that it was not trained on.
    rng : numpy.random.Generator
    """
    import torch

    found = []
    for log_counts in network.dose_grid.tolist():
        spectra, phases = _at_dose(bank, max(np.expm1(log_counts), 1.0), rng)
        with torch.inference_mode():
            logits = network(spectra)
        losses = [
            float(torch.nn.functional.cross_entropy(logits * s, phases))
            for s in SHARPNESSES
        ]
        found.append(SHARPNESSES[int(np.argmin(losses))] if min(losses) > 1e-4 else 1.0)
    with torch.no_grad():
        network.sharpness.copy_(torch.tensor(found, dtype=torch.float32))


def scores_of(
    network: PhaseNetwork, bank: SpectrumBank, rng: np.random.Generator
) -> dict[str, dict[str, float]]:
    """How good a calibrated network is on variants that it has not seen.

    Parameters
    ----------
    network : PhaseNetwork
    bank : SpectrumBank
    rng : numpy.random.Generator

    Returns
    -------
    dict of str to dict
        By the counts: share that is misclassified, and expected calibration error.
    """
    import torch

    scores = {}
    for counts in SCORED_COUNTS:
        spectra, phases = _at_dose(bank, counts, rng)
        with torch.inference_mode():
            probabilities = network.probabilities(spectra).numpy()
        truth = phases.numpy()
        scores[f"{counts:.0f} counts"] = {
            "misclassified": float((probabilities.argmax(axis=1) != truth).mean()),
            "expected calibration error": calibration_error(probabilities, truth),
        }
    return scores


def calibration_error(probabilities: np.ndarray, truth: np.ndarray) -> float:
    r"""Expected calibration error of the likeliest phase.

    .. math:: \sum_b \frac{n_b}{n}
              \left|\mathrm{accuracy}_b - \mathrm{confidence}_b\right|

    over 15 bins of the confidence.

    Parameters
    ----------
    probabilities : ndarray, shape (n, n_phases)
    truth : ndarray of int, shape (n,)
        From 0.

    Returns
    -------
    float

    References
    ----------
    M. P. Naeini, G. F. Cooper, M. Hauskrecht, Proc. AAAI (2015) 2901.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    place = np.minimum((confidence * CONFIDENCE_BINS).astype(int), CONFIDENCE_BINS - 1)
    differences = np.bincount(place, right - confidence, CONFIDENCE_BINS)
    return float(np.abs(differences).sum() / len(truth))


def _at_dose(
    bank: SpectrumBank, counts: float, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    import torch

    stream = PhaseStream(bank, (counts, counts))
    spectra, phases = stream.draw(SPECTRA_PER_DOSE, rng)
    return torch.from_numpy(spectra), torch.from_numpy(phases)
