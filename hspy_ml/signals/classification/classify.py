# SPDX-License-Identifier: GPL-3.0-or-later
"""`classify_phases` on a signal: read, find or make the model, classify."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from ...classification.classified import Classified
from ...classification.conditions import SpectrumConditions
from ...classification.phase_model import PhaseModel, load_phase_model
from ..data import signal_array
from ..frame import SignalFrame
from ..masks import flat_navigation_mask
from ..options import check_amount
from ..plain import plain_values
from ..progress import progress_bar
from .conditions import conditions_of
from .result import ClassificationResult, PhaseArrays
from .train_classifier import trained_model

if TYPE_CHECKING:
    from ...counts import Counts

__all__ = ["ReadSpectra", "classified", "classify_phases", "read_spectra"]


@dataclass(frozen=True, eq=False)
class ReadSpectra:
    """The spectra of a signal, and the model that is to classify them.

    Parameters
    ----------
    counts : Counts
        Of the pixels that are not excluded, in all channels.
    excluded : ndarray of bool, shape (n_pixels,)
    model : PhaseModel
    """

    counts: Counts
    excluded: np.ndarray
    model: PhaseModel

    @property
    def used(self) -> Counts:
        """The counts in the channels of the model."""
        from ...counts.selection import select_channels

        return select_channels(self.counts, self.model.conditions.used_channels)


def classify_phases(
    s: Any,
    model: Any = None,
    *,
    references: Any = None,
    labels: Any = None,
    names: Sequence[str] | None = None,
    method: str = "auto",
    detector: Any = "auto",
    false_alarms: float | None = None,
    navigation_mask: Any = None,
    signal_mask: Any = None,
    random_state: int | None = None,
    show_progressbar: bool | None = None,
    num_workers: int | None = None,
) -> ClassificationResult:
    """See :func:`hspy_ml.signals.phase_methods.classify_phases`, which users call."""
    _check_false_alarms(false_alarms)
    if num_workers is not None:
        check_amount("num_workers", num_workers)
    read = read_spectra(
        s,
        model,
        references=references,
        labels=labels,
        names=names,
        method=method,
        detector=detector,
        navigation_mask=navigation_mask,
        signal_mask=signal_mask,
        random_state=random_state,
        show_progressbar=show_progressbar,
    )
    found = classified(read, show_progressbar, num_workers)
    if false_alarms is not None:
        found = _with_false_alarms(found, read.model.architecture, false_alarms)
    return _result(s, read, found)


def read_spectra(
    s: Any,
    model: Any,
    *,
    references: Any,
    labels: Any,
    names: Sequence[str] | None,
    method: str,
    detector: Any,
    navigation_mask: Any,
    signal_mask: Any,
    random_state: int | None,
    show_progressbar: bool | None,
) -> ReadSpectra:
    """Read the spectra of a signal, and load or make the model for them.

    Parameters
    ----------
    s, model, references, labels, names, method, detector, navigation_mask, \
    signal_mask, random_state, show_progressbar
        As for :func:`hspy_ml.signals.phase_methods.classify_phases`.

    Returns
    -------
    ReadSpectra

    Raises
    ------
    ValueError, TypeError
        If the signal, its metadata or a parameter does not allow it.
    """
    from ...counts.building import counts_from_array

    conditions = conditions_of(s, signal_mask)
    if model is not None:
        known = {"references": references, "labels": labels, "names": names}
        _check_alone(known | {"signal_mask": signal_mask})
        model = given_model(model)
        _check_fits(model, conditions)
    excluded = flat_navigation_mask(s, navigation_mask)
    counts = counts_from_array(signal_array(s), excluded_pixels=excluded)
    if model is None:
        model = trained_model(
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
    return ReadSpectra(counts, excluded, model)


def classified(
    read: ReadSpectra, show_progressbar: bool | None, num_workers: int | None
) -> Classified:
    """What the model says of the spectra, with a bar of how many are done.

    Parameters
    ----------
    read : ReadSpectra
    show_progressbar : bool or None
    num_workers : int or None

    Returns
    -------
    Classified
    """
    total = read.counts.n_pixels
    with progress_bar(
        show_progressbar, "classify_phases", "spectra", total
    ) as progress:
        return read.model.classify(
            read.used, num_workers=num_workers, progress=progress
        )


def given_model(model: Any) -> PhaseModel:
    """The model that a user gave, or that is in the file given.

    Parameters
    ----------
    model : PhaseModel, str or path

    Returns
    -------
    PhaseModel

    Raises
    ------
    TypeError, ValueError, FileNotFoundError
        If it is none, or cannot be loaded.
    """
    if isinstance(model, (str, PathLike)):
        return load_phase_model(model)
    if not isinstance(model, PhaseModel):
        raise TypeError(
            f"`model` is a {type(model).__name__}; give the path of a model file, or "
            "what `hspy_ml.train_classifier(s, ...)` or `hspy_ml.load_model(path)` "
            "returned. Spectra and compositions are `references`."
        )
    return model


def _check_alone(others: dict[str, Any]) -> None:
    given = [name for name, value in others.items() if value is not None]
    if given:
        raise ValueError(
            f"`model` was given together with `{'`, `'.join(given)}`, which it already "
            "has; give one or the other."
        )


def _check_fits(model: PhaseModel, conditions: SpectrumConditions) -> None:
    differences = model.conditions.differences(conditions)
    if differences:
        raise ValueError(
            f"`model` was made for other spectra than those of `s`: "
            f"{'; '.join(differences)}. Make one with "
            "`hspy_ml.train_classifier(s, ...)`, or rebin `s` to the axis of the model."
        )


def _check_false_alarms(false_alarms: Any) -> None:
    if false_alarms is None:
        return
    if isinstance(false_alarms, bool) or not isinstance(false_alarms, (int, float)):
        raise TypeError(f"`false_alarms` is {false_alarms!r}; give a number.")
    if not 0 < false_alarms < 0.5:
        raise ValueError(
            f"`false_alarms` is {false_alarms}; give a share above 0 and below 0.5, "
            "such as 0.001."
        )


def _with_false_alarms(
    found: Classified, architecture: str, false_alarms: float
) -> Classified:
    """Another threshold, where oddness is minus the logarithm of a probability."""
    if architecture == "SeedNetworks":
        raise ValueError(
            "`false_alarms` was given, but the networks of the paper have a fixed "
            "threshold; leave it out, or use `method='likelihood'`."
        )
    threshold = np.full_like(found.threshold, -np.log10(false_alarms))
    return replace(found, threshold=threshold)


def _result(s: Any, read: ReadSpectra, found: Classified) -> ClassificationResult:
    kept = np.flatnonzero(~read.excluded)
    totals = read.used.pixel_totals
    empty = totals <= 0

    def on_the_map(values: np.ndarray) -> np.ndarray:
        spread = np.full((read.excluded.size, *values.shape[1:]), np.nan, values.dtype)
        spread[kept[~empty]] = values[~empty]
        return spread

    arrays = PhaseArrays(
        on_the_map(np.asarray(found.probabilities, np.float32)),
        on_the_map(np.asarray(found.oddness, np.float32)),
        on_the_map(np.asarray(found.threshold, np.float32)),
        np.bincount(kept, weights=totals, minlength=read.excluded.size),
        _mean_spectra(read.counts, np.where(empty, -1, found.labels), len(found.names)),
    )
    settings = {
        "architecture": read.model.architecture,
        "used_channels": int(read.model.conditions.used_channels.sum()),
    }
    return ClassificationResult(
        SignalFrame.from_signal(s),
        found.names,
        arrays,
        plain_values(settings),
        read.model.notes,
    )


def _mean_spectra(counts: Counts, labels: np.ndarray, n_phases: int) -> np.ndarray:
    """Mean spectrum of each label from 0, shape (n_phases + 1, n_channels)."""
    from ...classification.scores import mean_spectra

    return np.nan_to_num(mean_spectra(counts, labels + 1, n_phases + 1))
