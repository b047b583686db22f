# SPDX-License-Identifier: GPL-3.0-or-later
"""Phases by the Poisson likelihood of references, and a test for unknown ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from ..counts import Counts
from ..networks.model_card import ModelCard
from ..networks.model_file import StoredModel
from .classified import TASK, Classified
from .count_sums import each_block, weighted_sums
from .likelihood import checked_shares, overdispersion, probabilities
from .likelihood_files import (
    calibration_from_arrays,
    calibration_to_arrays,
    check_sizes,
    references_from_arrays,
    references_to_arrays,
    variation_from_arrays,
    variation_to_arrays,
)
from .references import References, references_from_expected, references_from_spectra
from .unknown import UnknownTest, Variation
from .unknown_calibration import Calibration, calibrate
from .unknown_variation import seen_variation

__all__ = ["ARCHITECTURE", "TASK", "LikelihoodClassifier"]

ARCHITECTURE = "TemplateLikelihood"
FALSE_ALARMS = 1e-3


@dataclass(frozen=True, eq=False)
class LikelihoodClassifier:
    """Classifier by likelihood; made by `from_spectra` or `from_expected`.

    Parameters
    ----------
    references : References
        The phases that are known.
    alternatives : ndarray, shape (n_alternatives, n_channels)
        Spectra of what else could be there, each with a sum of one.
    calibration : Calibration
        Of the test for unknown spectra.
    prior_shares : ndarray, shape (n_phases,)
        Of the phases; they sum to one.
    false_alarms : float, default 0.001
        Share of the spectra of known phases that may be called unknown.
    conditions : dict
        Of the measurement, such as the energy axis; plain values, kept for the card.
    variation : Variation, optional
        What labelled spectra show of the departures that are looked for.
    """

    references: References
    alternatives: np.ndarray
    calibration: Calibration
    prior_shares: np.ndarray
    false_alarms: float = FALSE_ALARMS
    conditions: Mapping[str, Any] = field(default_factory=dict)
    variation: Variation | None = None

    def __post_init__(self) -> None:
        if not 0 < self.false_alarms < 1:
            raise ValueError(
                f"`false_alarms` is {self.false_alarms}; give a share between 0 and 1, "
                "such as 0.001."
            )

    @classmethod
    def from_spectra(
        cls,
        counts: Counts,
        labels: np.ndarray,
        names: Sequence[str],
        *,
        alternatives: np.ndarray | None = None,
        prior_shares: Sequence[float] | None = None,
        false_alarms: float = FALSE_ALARMS,
        random_state: int | np.random.Generator = 0,
        conditions: Mapping[str, Any] | None = None,
    ) -> LikelihoodClassifier:
        """Learn phases from spectra whose phase is known.

        Parameters
        ----------
        counts : SparseCounts or DenseCounts
            n_spectra by n_channels; one spectrum of a phase is enough, a dozen spots
            tell how far they scatter.
        labels : ndarray of int, shape (n_spectra,)
            From 1 in the order of `names`; 0 for spectra that are not used.
        names : sequence of str
        alternatives : array_like, shape (n_alternatives, n_channels), optional
            Spectra of what else could be there, such as other elements
            (`foreign_element_spectra`): they are found at fewer counts.
        prior_shares : sequence of float, length n_phases, optional
            Expected shares of the phases; equal by default.
        false_alarms : float, default 0.001
            Share of the spectra of known phases that may be called unknown.
        random_state : int or numpy.random.Generator, default 0
            Makes the calibration repeat exactly.
        conditions : dict, optional
            Kept for the model's card.

        Returns
        -------
        LikelihoodClassifier

        Raises
        ------
        TypeError, ValueError
            If an input is not as described, or two phases have the same spectrum.
        """
        references = references_from_spectra(counts, labels, names)
        found = cls.from_references(
            references,
            alternatives,
            prior_shares,
            false_alarms,
            random_state,
            conditions,
        )
        return found.taught_by(counts, labels)

    @classmethod
    def from_expected(
        cls,
        names: Sequence[str],
        spectra: np.ndarray,
        *,
        uncertainty: float = 1.0,
        alternatives: np.ndarray | None = None,
        prior_shares: Sequence[float] | None = None,
        false_alarms: float = FALSE_ALARMS,
        random_state: int | np.random.Generator = 0,
        conditions: Mapping[str, Any] | None = None,
    ) -> LikelihoodClassifier:
        """Take phases from spectra without noise, simulated or from a factorisation.

        Parameters
        ----------
        names : sequence of str
        spectra : array_like, shape (n_phases, n_channels)
            Expected counts, in any unit.
        uncertainty : float, default 1
            How much further measured spectra may be from them than spots of a specimen
            scatter (by some 2.5 %).
        alternatives, prior_shares, false_alarms, random_state, conditions
            As for `from_spectra`.

        Returns
        -------
        LikelihoodClassifier

        Raises
        ------
        TypeError, ValueError
            If an input is not as described, or two phases have the same spectrum.
        """
        references = references_from_expected(names, spectra, uncertainty)
        return cls.from_references(
            references,
            alternatives,
            prior_shares,
            false_alarms,
            random_state,
            conditions,
        )

    @classmethod
    def from_references(
        cls,
        references: References,
        alternatives: np.ndarray | None = None,
        prior_shares: Sequence[float] | None = None,
        false_alarms: float = FALSE_ALARMS,
        random_state: int | np.random.Generator = 0,
        conditions: Mapping[str, Any] | None = None,
    ) -> LikelihoodClassifier:
        """Calibrate the test for unknown spectra of references.

        Parameters
        ----------
        references : References
        alternatives, prior_shares, false_alarms, random_state, conditions
            As for :meth:`from_spectra`.

        Returns
        -------
        LikelihoodClassifier

        Raises
        ------
        TypeError, ValueError
            If an input is not as described.
        """
        shares = checked_shares(prior_shares, len(references.names))
        alternatives = _checked_alternatives(alternatives, references.n_channels)
        test = UnknownTest(references, alternatives)
        calibration = calibrate(test, random_state)
        return cls(
            references,
            alternatives,
            calibration,
            shares,
            float(false_alarms),
            dict(conditions or {}),
        )

    def taught_by(self, counts: Counts, labels: np.ndarray) -> LikelihoodClassifier:
        """Take note of how spectra of the phases depart from the references.

        Parameters
        ----------
        counts : SparseCounts or DenseCounts
            n_spectra by n_channels.
        labels : ndarray of int, shape (n_spectra,)
            From 1; 0 for spectra that are not used.

        Returns
        -------
        LikelihoodClassifier
            A copy that does not call such departures unknown.
        """
        test = UnknownTest(self.references, self.alternatives)
        which = np.asarray(labels) - 1
        variation = seen_variation(test, self.calibration, counts, which)
        return replace(self, variation=variation)

    @property
    def names(self) -> tuple[str, ...]:
        """The phases that are known."""
        return self.references.names

    @property
    def n_channels(self) -> int:
        """Channels of the spectra that it takes."""
        return self.references.n_channels

    def classify(
        self,
        counts: Counts,
        *,
        num_workers: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Classified:
        """Tell the phases of spectra, and which are of none that is known.

        Parameters
        ----------
        counts : SparseCounts or DenseCounts
            n_spectra by n_channels.
        num_workers : int, optional
            Threads; all cores by default.
        progress : callable, optional
            Called with the number of spectra just done.

        Returns
        -------
        Classified
            `oddness` is minus the decimal logarithm of the probability that a spectrum
            of the phase looks as odd by chance.

        Raises
        ------
        ValueError
            If the spectra have another number of channels.
        """
        self._check_channels(counts)
        likely = np.empty((counts.n_pixels, len(self.names)), np.float32)
        oddness = np.empty(counts.n_pixels, np.float32)

        def one(block: Counts, here: slice) -> None:
            likely[here] = self._probabilities(block)
            oddness[here] = self._oddness(block, likely[here])

        each_block(counts, one, num_workers, progress)
        threshold = np.full(oddness.shape, -np.log10(self.false_alarms), np.float32)
        return Classified(self.names, likely, oddness, threshold)

    def probabilities(
        self, counts: Counts, *, num_workers: int | None = None
    ) -> np.ndarray:
        """Probabilities of the phases alone, in a fraction of the time.

        Parameters
        ----------
        counts : SparseCounts or DenseCounts
            n_spectra by n_channels.
        num_workers : int, optional
            Threads; all cores by default.

        Returns
        -------
        ndarray of float32, shape (n_spectra, n_phases)
            Rows sum to one.

        Raises
        ------
        ValueError
            If the spectra have another number of channels.
        """
        self._check_channels(counts)
        likely = np.empty((counts.n_pixels, len(self.names)), np.float32)

        def one(block: Counts, here: slice) -> None:
            likely[here] = self._probabilities(block)

        each_block(counts, one, num_workers)
        return likely

    def _probabilities(self, counts: Counts) -> np.ndarray:
        logs = weighted_sums(counts, self._log_shapes)
        totals = counts.pixel_totals
        return probabilities(logs, totals, self._overdispersion, self.prior_shares)

    def _oddness(self, counts: Counts, likely: np.ndarray) -> np.ndarray:
        totals = counts.pixel_totals
        which = np.where(totals > 0, likely.argmax(axis=1), -1)
        statistics = self._test.statistics(counts, which)
        return self.calibration.oddness(statistics, totals, which)

    def _check_channels(self, counts: Counts) -> None:
        if counts.n_channels != self.n_channels:
            raise ValueError(
                f"`counts` have {counts.n_channels} channels, the references "
                f"{self.n_channels}; bring both to the same energy axis."
            )

    @cached_property
    def _log_shapes(self) -> np.ndarray:
        return np.log(self.references.shapes)

    @cached_property
    def _overdispersion(self) -> np.ndarray:
        return overdispersion(self.references)

    @cached_property
    def _test(self) -> UnknownTest:
        return UnknownTest(self.references, self.alternatives, self.variation)

    @property
    def card(self) -> ModelCard:
        """What it is for and made of."""
        return ModelCard(
            TASK,
            ARCHITECTURE,
            {"n_channels": self.n_channels, "false_alarms": self.false_alarms},
            {"labels": list(self.names), **self.conditions},
        )

    def to_stored(self) -> StoredModel:
        """Card and arrays as they are in a file."""
        arrays = {
            "alternatives": self.alternatives,
            "prior_shares": self.prior_shares,
            **references_to_arrays(self.references),
            **calibration_to_arrays(self.calibration),
            **variation_to_arrays(self.variation),
        }
        return StoredModel(self.card, arrays)

    @classmethod
    def from_stored(cls, stored: StoredModel) -> LikelihoodClassifier:
        """The classifier of a file's card and arrays.

        Parameters
        ----------
        stored : StoredModel

        Returns
        -------
        LikelihoodClassifier

        Raises
        ------
        ValueError
            If card and arrays do not make such a classifier.
        """
        card, arrays = stored.card, stored.weights
        if card.task != TASK or card.architecture != ARCHITECTURE:
            raise ValueError(
                f"The model is a {card.architecture} for {card.task}; a "
                f"{ARCHITECTURE} for {TASK} is expected."
            )
        try:
            conditions = dict(card.conditions)
            names = tuple(conditions.pop("labels"))
            check_sizes(arrays, len(names), card.hyperparameters["n_channels"])
            return cls(
                references_from_arrays(names, arrays),
                arrays["alternatives"],
                calibration_from_arrays(arrays),
                arrays["prior_shares"],
                card.hyperparameters["false_alarms"],
                conditions,
                variation_from_arrays(arrays),
            )
        except KeyError as error:
            raise ValueError(f"The model lacks {error}; it is damaged.") from error


def _checked_alternatives(
    alternatives: np.ndarray | None, n_channels: int
) -> np.ndarray:
    if alternatives is None:
        return np.zeros((0, n_channels))
    spectra = np.array(alternatives, dtype=float)
    if spectra.ndim != 2 or spectra.shape[1] != n_channels:
        raise ValueError(
            f"`alternatives` has the shape {spectra.shape}; spectra of {n_channels} "
            "channels are expected, one a row."
        )
    sums = spectra.sum(axis=1, keepdims=True)
    if not (np.isfinite(spectra).all() and (spectra >= 0).all() and (sums > 0).all()):
        raise ValueError(
            "`alternatives` has spectra that are empty, negative or not finite; leave "
            "them out."
        )
    return spectra / sums
