# SPDX-License-Identifier: GPL-3.0-or-later
"""A model of phases from what the user knows of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ...classification.conditions import SpectrumConditions
from ...classification.phase_model import PhaseModel
from ..data import map_shape, signal_array
from ..masks import flat_navigation_mask
from ..options import check_amount, check_choice
from .conditions import conditions_of
from .known_spectra import ExpectedSpectra, MeasuredSpectra, known_spectra
from .labelled_pixels import UNLABELLED, labels_of_pixels
from .methods import METHODS, Making, classifier_of

if TYPE_CHECKING:
    from ...counts import Counts

__all__ = ["train_classifier", "trained_model"]


def train_classifier(
    s: Any,
    *,
    references: Any = None,
    labels: Any = None,
    names: Sequence[str] | None = None,
    method: str = "auto",
    detector: Any = "auto",
    navigation_mask: Any = None,
    signal_mask: Any = None,
    random_state: int | None = None,
    show_progressbar: bool | None = None,
) -> PhaseModel:
    """Make a model that tells the phases of spectra like those of a signal.

    Parameters
    ----------
    s : EDSTEMSpectrum, EDSSEMSpectrum or EELSSpectrum
        Its energy axis and instrument are those of the model.
    references, labels, names, method, detector, navigation_mask, signal_mask, \
    random_state, show_progressbar
        As for :func:`hspy_ml.signals.phase_methods.classify_phases`.

    Returns
    -------
    PhaseModel
        ``s.classify_phases(model)`` uses it; ``model.save(path)`` keeps it in a file
        that cannot run code, ``hspy_ml.load_model(path)`` loads it.

    Raises
    ------
    ValueError, TypeError
        If the signal, its metadata or a parameter does not allow it; the message
        says what to do.

    Examples
    --------
    >>> model = hspy_ml.train_classifier(  # doctest: +SKIP
    ...     s, labels={"matrix": [(3, 4), (10, 2)], "grains": [(20, 21)]}
    ... )
    """
    from ...counts.building import counts_from_array

    conditions = conditions_of(s, signal_mask)
    excluded = flat_navigation_mask(s, navigation_mask)
    counts = counts_from_array(signal_array(s), excluded_pixels=excluded)
    return trained_model(
        s,
        conditions,
        counts,
        excluded,
        references=references,
        labels=labels,
        names=names,
        method=method,
        detector=detector,
        random_state=random_state,
        show_progressbar=show_progressbar,
    )


def trained_model(
    s: Any,
    conditions: SpectrumConditions,
    counts: Counts,
    excluded: np.ndarray,
    *,
    references: Any,
    labels: Any,
    names: Sequence[str] | None,
    method: str,
    detector: Any,
    random_state: int | None,
    show_progressbar: bool | None,
) -> PhaseModel:
    """The model for a signal whose counts have been read.

    Parameters
    ----------
    s : EDSTEMSpectrum, EDSSEMSpectrum or EELSSpectrum
    conditions : SpectrumConditions
    counts : Counts
        Of the pixels that are not excluded, in all channels.
    excluded : ndarray of bool, shape (n_pixels,)
    references, labels, names, method, detector, random_state, show_progressbar
        As for :func:`train_classifier`.

    Returns
    -------
    PhaseModel
    """
    check_choice("method", method, METHODS)
    if random_state is not None:
        check_amount("random_state", random_state, zero=True)
    if (references is None) == (labels is None):
        given = "neither" if references is None else "both"
        raise ValueError(
            f"Of `references` and `labels`, {given} were given; give one: spectra or "
            'compositions by name, such as references={"olivine": "Mg1.8Fe0.2SiO4", '
            "...}, or labelled pixels, or else a `model`."
        )
    if references is not None and names is not None:
        raise ValueError("`names` are for `labels`; `references` have their own.")
    if references is not None:
        known = known_spectra(s, references, conditions, counts, detector)
    else:
        known = _labelled(s, labels, names, counts, excluded)
    if isinstance(known, ExpectedSpectra):
        conditions = _where_expected(conditions, known)
    making = Making(s, known, conditions, counts, random_state or 0, show_progressbar)
    classifier, notes = classifier_of(making, method)
    return PhaseModel(classifier, conditions, (*known.notes, *notes))


def _labelled(
    s: Any,
    labels: Any,
    names: Sequence[str] | None,
    counts: Counts,
    excluded: np.ndarray,
) -> MeasuredSpectra:
    from ...counts.selection import select_pixels

    found_names, flat = labels_of_pixels(s, labels, names)
    flat = flat[~excluded]
    pixels = np.flatnonzero((flat != UNLABELLED) & (counts.pixel_totals > 0))
    found = np.unique(flat[pixels])
    if found.size < len(found_names):
        lost = [n for i, n in enumerate(found_names, 1) if i not in found]
        raise ValueError(
            f"`labels` of {', '.join(lost)} lie only in pixels that are masked or have "
            "no counts; label others."
        )
    sizes = np.bincount(flat[pixels])[1:]
    of_each = ", ".join(f"{n} {k}" for n, k in zip(found_names, sizes, strict=True))
    shape = " x ".join(map(str, map_shape(s)[::-1]))
    note = f"References are labelled pixels of a map of {shape} ({of_each})."
    return MeasuredSpectra(
        found_names, select_pixels(counts, pixels), flat[pixels], (note,), True
    )


def _where_expected(
    conditions: SpectrumConditions, known: ExpectedSpectra
) -> SpectrumConditions:
    """Leave out channels of which the references say nothing."""
    used = conditions.used_channels & (known.shapes.sum(axis=0) > 0)
    if not used.any():
        raise ValueError(
            "`references` let expect nothing in the channels that are used; check "
            "`signal_mask` and the energy axis."
        )
    return replace(conditions, used_channels=used)
