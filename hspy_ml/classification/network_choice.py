# SPDX-License-Identifier: GPL-3.0-or-later
"""The simple classifier where it is as good, the network where it is better."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..counts import Counts, DenseCounts
from .classified import PhaseClassifier
from .conditions import SpectrumConditions
from .network_axis import PeakAxis
from .network_spots import PhaseSpots
from .network_stream import PhaseStream, draw_bank
from .network_variations import Variations, variations_for

__all__ = ["Choice", "choose_classifier", "varied_spectra"]

DEVIATIONS = 3.0  # by which the network must win
LEAST_GAIN = 0.002  # of all spectra


@dataclass(frozen=True, eq=False)
class Choice:
    """Which of two classifiers is the better one, and why.

    Parameters
    ----------
    classifier : PhaseClassifier
        The one to be used.
    is_network : bool
        Whether it is the network.
    errors : tuple of float
        Share that the simple one and the network misclassified.
    reason : str
        One sentence.
    """

    classifier: PhaseClassifier
    is_network: bool
    errors: tuple[float, float]
    reason: str


def choose_classifier(
    simple: PhaseClassifier,
    network: PhaseClassifier,
    counts: Counts,
    labels: np.ndarray,
    *,
    num_workers: int | None = None,
) -> Choice:
    """Compare two classifiers on spectra that neither of them has seen.

    The network is chosen if it is right significantly more often where the two differ
    (McNemar's test), by two in a thousand of all spectra or more. Otherwise the simple
    one is: it takes no training and one knows what it does.

    Parameters
    ----------
    simple, network : PhaseClassifier
        Of the same phases.
    counts : SparseCounts or DenseCounts
        Labelled ones that were held out, or :func:`varied_spectra`, at the dose that
        matters.
    labels : ndarray of int, shape (n_spectra,)
        From 1.
    num_workers : int, optional
        Threads; all cores by default.

    Returns
    -------
    Choice

    Raises
    ------
    ValueError
        If the classifiers know different phases, or there are no spectra.

    References
    ----------
    Q. McNemar, Psychometrika 12 (1947) 153.
    """
    _check(simple, network, counts, labels)
    wrong = [
        classifier.classify(counts, num_workers=num_workers).best != labels
        for classifier in (simple, network)
    ]
    gained = int(np.count_nonzero(wrong[0] & ~wrong[1]))
    lost = int(np.count_nonzero(wrong[1] & ~wrong[0]))
    clear = gained - lost > DEVIATIONS * np.sqrt(gained + lost)
    better = clear and gained - lost >= LEAST_GAIN * len(labels)
    errors = float(wrong[0].mean()), float(wrong[1].mean())
    found = (
        f"of {len(labels)} spectra with about {np.median(counts.pixel_totals):.0f} "
        f"counts the likelihood misclassified {100 * errors[0]:.2g} %, the network "
        f"{100 * errors[1]:.2g} %"
    )
    if better:
        return Choice(network, True, errors, f"The network is used: {found}.")
    return Choice(simple, False, errors, f"The likelihood is used: {found}.")


def varied_spectra(
    spots: PhaseSpots,
    conditions: SpectrumConditions,
    counts: float,
    n_spectra: int = 4000,
    *,
    severity: float = 1.0,
    variations: Variations | None = None,
    resolution: float | None = None,
    random_state: int = 0,
) -> tuple[Counts, np.ndarray]:
    """Spectra as another session could measure them, in all channels.

    Parameters
    ----------
    spots : PhaseSpots
    conditions : SpectrumConditions
    counts : float
        Expected counts of each.
    n_spectra : int, default 4000
    severity : float, default 1
        How much differs, in standard deviations of what usually does.
    variations : Variations, optional
    resolution : float, optional
        As for :func:`hspy_ml.classification.network_training.train_network_classifier`.
    random_state : int, default 0

    Returns
    -------
    counts : DenseCounts
        n_spectra by n_channels.
    labels : ndarray of int64, shape (n_spectra,)
        From 1.
    """
    from .network_axis import peak_axis

    joined = peak_axis(conditions, spots.shapes.mean(axis=0), resolution)
    axis = PeakAxis(joined.energy, joined.fwhm, np.arange(joined.energy.size))
    rng = np.random.default_rng([random_state, 7])
    severities = np.full(min(256, n_spectra), severity)
    variations = variations or variations_for(conditions.technique)
    bank = draw_bank(spots, axis, variations, severities, rng)
    spectra, phases = PhaseStream(bank, (counts, counts)).draw(n_spectra, rng)
    return DenseCounts(spectra), phases + 1


def _check(
    simple: PhaseClassifier, network: PhaseClassifier, counts: Any, labels: np.ndarray
) -> None:
    if simple.names != network.names:
        raise ValueError(
            f"`simple` knows {', '.join(simple.names)}, `network` "
            f"{', '.join(network.names)}; compare classifiers of the same phases."
        )
    if not len(labels) or len(labels) != counts.n_pixels:
        raise ValueError(
            f"`labels` has {len(labels)} entries and `counts` {counts.n_pixels} "
            "spectra; give one label for each of one spectrum or more."
        )
