# SPDX-License-Identifier: GPL-3.0-or-later
"""How good a deconvolving network is on spectra that it has not seen."""

from __future__ import annotations

from dataclasses import replace

from ..simulation.low_loss_test_sets import LowLossSpectra, test_set
from .deconvolver_model import DeconvolverModel
from .noise import DetectorNoise
from .response import Response
from .restore import restore
from .scores import Scores, score

__all__ = ["SETS", "score_network", "with_scores"]

SETS = ("vib high", "vib medium", "vib low", "plasmon")
N_SPECTRA = 50
SHOWN = ("nmse", "median_nmse", "f1", "false_peaks", "area_error")


def score_network(model: DeconvolverModel, spectra: LowLossSpectra) -> Scores:
    """Restore spectra of which response and noise are known, and compare.

    Parameters
    ----------
    model : DeconvolverModel
    spectra : LowLossSpectra

    Returns
    -------
    Scores
    """
    response = Response(spectra.responses)
    electrons = (spectra.counts - spectra.offset[:, None]) / spectra.gain[:, None]
    read_variance = (spectra.read_noise / spectra.gain) ** 2
    noise = DetectorNoise.of_electrons(read_variance)
    found = restore(
        electrons, response, noise, model, zero_channel=spectra.zero_channel
    )
    return score(found.spectra, spectra.truth, response.fwhm, spectra.zero_channel)


def with_scores(
    model: DeconvolverModel, n_spectra: int = N_SPECTRA
) -> DeconvolverModel:
    """The model with its scores on the test sets on its card.

    Parameters
    ----------
    model : DeconvolverModel
    n_spectra : int, default 50
        Of each set.

    Returns
    -------
    DeconvolverModel
    """
    found = {}
    for name in SETS:
        summary = score_network(model, test_set(name, n_spectra)).summary()
        found[name] = {key: float(summary[key]) for key in SHOWN}
    return replace(model, scores=found)
