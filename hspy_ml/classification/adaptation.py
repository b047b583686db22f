# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulated references, corrected by the spectra that they find.

Simulated spectra are off by some percent: cross sections, the continuum, a composition
that is only about right. At a few hundred counts nobody notices; at ten thousand no
spectrum is like its reference. But the spectra that are of a phase beyond doubt tell
what it looks like in this instrument, and how far its spots scatter.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ..counts import Counts
from ..counts.selection import select_pixels
from .classified import Classified
from .likelihood_classifier import LikelihoodClassifier
from .reference_scatter import Scatter
from .references import References, references_from_spectra

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["adapted_to"]

CORE = 0.5  # share of the spectra of a phase, the least odd, that teach at first
SURE = 0.99  # probability of a phase from which a spectrum is beyond doubt
FEWEST_SPECTRA = 10
FEWEST_COUNTS = 20_000  # of all spectra of a phase together
LARGEST_CHANGE = 0.5  # of the distance to the nearest other reference
WIDENINGS = (3.0, 1.0)
"""Factors of the scatter that was learned, round by round: the least odd spectra, from
which it is learned at first, scatter less than all do."""


def adapted_to(
    classifier: LikelihoodClassifier, counts: Counts, random_state: int = 0
) -> tuple[LikelihoodClassifier, tuple[str, ...]]:
    r"""Learn from spectra what the phases really look like.

    First the least odd half of the spectra of each phase teach, then in some rounds all
    that are known by what was learned before. A phase is left as it was if it has too
    few spectra or counts, or if what it found is not what was looked for: further from
    its reference than half-way to the nearest other one, by the distance

    .. math:: \tfrac{1}{2} \sum_c |p_c - q_c|

    Parameters
    ----------
    classifier : LikelihoodClassifier
        Of simulated references.
    counts : SparseCounts or DenseCounts
        Spectra to learn from, of the same channels.
    random_state : int, default 0
        Makes the calibration repeat exactly.

    Returns
    -------
    LikelihoodClassifier
        The same one if there is nothing to learn.
    names : tuple of str
        Of the phases that were adapted.
    """
    found = classifier.classify(counts)
    labels = _core(found)
    changed: tuple[str, ...] = ()
    adapted = classifier
    for widening in WIDENINGS:
        references, names = _learned(classifier.references, counts, labels)
        if not names:
            break
        changed = names
        adapted = LikelihoodClassifier.from_references(
            _widened(references, widening),
            alternatives=classifier.alternatives,
            prior_shares=classifier.prior_shares,
            false_alarms=classifier.false_alarms,
            random_state=random_state,
            conditions=classifier.conditions,
        ).taught_by(counts, np.where(_is_one_of(names, found)[labels], labels, 0))
        found = adapted.classify(counts)
        sure = found.is_known & (found.confidence >= SURE)
        labels = np.where(sure, found.best, 0)
    return adapted, changed


def _is_one_of(names: tuple[str, ...], found: Classified) -> np.ndarray:
    """Whether each label, from 0, is that of one of some phases."""
    return np.array([False, *(name in names for name in found.names)])


def _core(found: Classified) -> np.ndarray:
    """Labels of the least odd half of each phase, 0 for all others."""
    labels = np.zeros(found.oddness.size, dtype=np.int64)
    for label in range(1, len(found.names) + 1):
        own = (found.best == label) & (found.confidence >= SURE)
        own &= np.isfinite(found.oddness)
        if own.any():
            limit = np.quantile(found.oddness[own], CORE)
            labels[own & (found.oddness <= limit)] = label
    return labels


def _learned(
    before: References, counts: Counts, labels: np.ndarray
) -> tuple[References, tuple[str, ...]]:
    """References of which those that can be are taken from spectra."""
    taught = [
        k for k in range(len(before.names)) if _is_taught(before, counts, labels, k)
    ]
    if not taught:
        return before, ()
    names = tuple(before.names[k] for k in taught)
    new_label = np.zeros(len(before.names) + 1, dtype=np.int64)
    new_label[np.array(taught) + 1] = np.arange(1, len(taught) + 1)
    found = references_from_spectra(counts, new_label[labels], names)
    shapes = np.array(before.shapes)
    shapes[taught] = found.shapes
    scatter = _stitched(before.scatter, found.scatter, taught)
    return replace(before, shapes=shapes, scatter=scatter), names


def _widened(references: References, factor: float) -> References:
    scatter = references.scatter
    scatter = replace(scatter, variances=factor * scatter.variances)
    return replace(references, scatter=scatter)


def _is_taught(
    before: References, counts: Counts, labels: np.ndarray, phase: int
) -> bool:
    pixels = np.flatnonzero(labels == phase + 1)
    if pixels.size < FEWEST_SPECTRA:
        return False
    spectrum = select_pixels(counts, pixels).channel_totals
    if spectrum.sum() < FEWEST_COUNTS:
        return False
    distances = 0.5 * np.abs(before.shapes - before.shapes[phase]).sum(axis=1)
    nearest = np.delete(distances, phase).min(initial=1.0)
    change = 0.5 * np.abs(spectrum / spectrum.sum() - before.shapes[phase]).sum()
    return bool(change < LARGEST_CHANGE * nearest)


def _stitched(before: Scatter, found: Scatter, taught: Sequence[int]) -> Scatter:
    parts = {}
    for name in ("modes", "variances", "equal", "freedom"):
        values = np.array(getattr(before, name))
        values[list(taught)] = getattr(found, name)
        parts[name] = values
    return Scatter(**parts)
