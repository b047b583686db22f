# SPDX-License-Identifier: GPL-3.0-or-later
"""Probabilities that mean what they say at every dose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .network_stream import PhaseStream, SpectrumBank
from .scores import expected_calibration_error

if TYPE_CHECKING:
    from torch import Tensor

    from ..networks.phase_network import PhaseNetwork

__all__ = ["calibrate_sharpness", "scores_of"]

SPECTRA_PER_DOSE = 4096
SHARPNESSES = np.geomspace(0.25, 4.0, 49)
SCORED_COUNTS = (30.0, 100.0, 300.0, 1000.0, 10000.0)


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
            "expected calibration error": expected_calibration_error(
                probabilities, truth + 1
            ),
        }
    return scores


def _at_dose(
    bank: SpectrumBank, counts: float, rng: np.random.Generator
) -> tuple[Tensor, Tensor]:
    import torch

    stream = PhaseStream(bank, (counts, counts))
    spectra, phases = stream.draw(SPECTRA_PER_DOSE, rng)
    return torch.from_numpy(spectra), torch.from_numpy(phases)
