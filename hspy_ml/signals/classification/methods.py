# SPDX-License-Identifier: GPL-3.0-or-later
"""Which classifier is made of what is known."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ...classification.conditions import SpectrumConditions
from ..acquisition import acquisition_from_signal
from ..elements import elements_from_signal
from ..progress import of_all_done, progress_bar
from .known_spectra import ExpectedSpectra, MeasuredSpectra

if TYPE_CHECKING:
    from ...classification.classified import PhaseClassifier
    from ...classification.network_spots import PhaseSpots
    from ...counts import Counts

__all__ = ["METHODS", "Making", "classifier_of"]

METHODS = ("auto", "likelihood", "network", "seed")

LIKELIHOOD_ERRS = 0.002  # share of spectra, from which a network is worth its training
SPECTRA_OF_A_PHASE = 12  # that the networks of the paper learn from
COUNTS_OF_THESE = 3e4

Made = tuple["PhaseClassifier", tuple[str, ...]]


@dataclass(frozen=True, eq=False)
class Making:
    """All that a classifier may be made of.

    Parameters
    ----------
    s : EDSTEMSpectrum, EDSSEMSpectrum or EELSSpectrum
    known : MeasuredSpectra or ExpectedSpectra
        In all channels.
    conditions : SpectrumConditions
        Which channels are used.
    counts : Counts
        Of `s`, in all channels.
    random_state : int
    show_progressbar : bool or None
        For a training.
    """

    s: Any
    known: MeasuredSpectra | ExpectedSpectra
    conditions: SpectrumConditions
    counts: Counts
    random_state: int
    show_progressbar: bool | None

    @cached_property
    def used_counts(self) -> Counts:
        """Counts of the signal in the channels that are used."""
        from ...counts.selection import select_channels

        return select_channels(self.counts, self.conditions.used_channels)

    @cached_property
    def reference_counts(self) -> Counts:
        """Counts of measured references in the channels that are used."""
        from ...counts.selection import select_channels

        return select_channels(self.known.counts, self.conditions.used_channels)

    @cached_property
    def shapes(self) -> np.ndarray:
        """Expected references in the channels that are used."""
        return self.known.shapes[:, self.conditions.used_channels]

    @property
    def is_expected(self) -> bool:
        """Whether the references are without noise."""
        return isinstance(self.known, ExpectedSpectra)

    @cached_property
    def spots(self) -> PhaseSpots:
        """References as networks learn from them."""
        from ...classification.network_spots import PhaseSpots

        if self.is_expected:
            return PhaseSpots.from_expected(self.known.names, self.shapes)
        return PhaseSpots.from_spectra(
            self.reference_counts, self.known.labels, self.known.names
        )


def classifier_of(making: Making, method: str) -> Made:
    """Make the classifier of a method.

    Parameters
    ----------
    making : Making
    method : {"auto", "likelihood", "network", "seed"}

    Returns
    -------
    classifier : PhaseClassifier
    notes : tuple of str
        Which it is, and why.
    """
    makers: dict[str, Callable[[Making], Made]] = {
        "auto": _by_choice,
        "likelihood": _by_likelihood,
        "network": _by_network,
        "seed": _by_seed,
    }
    return makers[method](making)


def _by_likelihood(making: Making) -> Made:
    from ...classification.adaptation import adapted_to
    from ...classification.likelihood_classifier import LikelihoodClassifier

    known = making.known
    options = {
        "alternatives": _other_elements(making),
        "random_state": making.random_state,
    }
    if not making.is_expected:
        classifier = LikelihoodClassifier.from_spectra(
            making.reference_counts, known.labels, known.names, **options
        )
        return classifier, ()
    classifier = LikelihoodClassifier.from_expected(
        known.names, making.shapes, uncertainty=known.uncertainty, **options
    )
    classifier, adapted = adapted_to(
        classifier, making.used_counts, making.random_state
    )
    if not adapted:
        return classifier, ("No reference was adapted to the spectra of the map.",)
    note = f"References adapted to the spectra of the map: {', '.join(adapted)}."
    return classifier, (note,)


def _by_network(making: Making) -> Made:
    from ...classification.network_training import (
        network_plan,
        train_network_classifier,
    )

    spots = making.spots
    plan = network_plan(len(spots.names), making.random_state)
    with progress_bar(
        making.show_progressbar, "training", "steps", plan.n_steps
    ) as progress:
        classifier = train_network_classifier(
            spots,
            making.conditions,
            alternatives=_other_elements(making),
            plan=plan,
            progress=of_all_done(progress),
        )
    if classifier.training.get("interrupted"):
        return classifier, ("The training of the network was interrupted.",)
    return classifier, ()


def _by_choice(making: Making) -> Made:
    """The likelihood, unless a network is clearly better for such references."""
    from ...classification.network_choice import choose_classifier, varied_spectra

    simple, notes = _by_likelihood(making)
    if not making.is_expected and making.known.of_this_map:
        why = "The likelihood is used: references are pixels of the map itself."
        return simple, (*notes, why)
    totals = making.used_counts.pixel_totals
    dose = float(np.median(totals[totals > 0]))
    spectra, labels = varied_spectra(
        making.spots, making.conditions, dose, random_state=making.random_state
    )
    wrong = float(np.mean(simple.classify(spectra).best != labels))
    if wrong < LIKELIHOOD_ERRS:
        why = (
            f"The likelihood is used: at {dose:.0f} counts it misclassifies "
            f"{100 * wrong:.2g} % of spectra as another session could measure them."
        )
        return simple, (*notes, why)
    network, more = _by_network(making)
    choice = choose_classifier(simple, network, spectra, labels)
    return choice.classifier, (*notes, *more, choice.reason)


def _by_seed(making: Making) -> Made:
    """The networks of the paper; expected references are measured first, as it were."""
    from ...classification.seed_models import train_seed_classifier
    from ...counts.building import counts_from_array

    known = making.known
    if making.is_expected:
        rng = np.random.default_rng(making.random_state)
        shapes = making.shapes / making.shapes.sum(axis=1, keepdims=True)
        expected = COUNTS_OF_THESE * np.repeat(shapes, SPECTRA_OF_A_PHASE, axis=0)
        counts = counts_from_array(rng.poisson(expected))
        labels = np.repeat(np.arange(1, len(shapes) + 1), SPECTRA_OF_A_PHASE)
    else:
        counts, labels = making.reference_counts, known.labels
    with progress_bar(making.show_progressbar, "training", "steps") as progress:
        classifier = train_seed_classifier(
            counts,
            labels,
            known.names,
            random_state=making.random_state,
            progress=of_all_done(progress),
        )
    return classifier, ("The networks of Zhang et al. (2018), as published.",)


def _other_elements(making: Making) -> np.ndarray | None:
    """Lines of elements that no phase should have; None where that is not known."""
    from ...physics.foreign_elements import foreign_element_spectra

    conditions = making.conditions
    if conditions.technique == "EELS" or not conditions.beam_energy_keV:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of angles and windows: lines hardly change
        acquisition = acquisition_from_signal(making.s)
    elements = making.known.elements or _elements_named(making.s)
    spectra = foreign_element_spectra(acquisition, elements)
    spectra = spectra[:, conditions.used_channels]
    seen = spectra.sum(axis=1) > 0
    return spectra[seen] / spectra[seen].sum(axis=1, keepdims=True)


def _elements_named(s: Any) -> tuple[str, ...]:
    try:
        return elements_from_signal(s)
    except ValueError:  # the metadata name none
        return ()
