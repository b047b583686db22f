# SPDX-License-Identifier: GPL-3.0-or-later
"""The fit of all pixels with the response of their mean composition."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from .build import FittedSignal
from .plan import Scale
from .task import SpecimenTask

if TYPE_CHECKING:
    from ...counts import Counts
    from ...physics.gmatrix import GMatrix
    from ...quantification.quantify import Quantification
    from ...quantification.unmeasured import Completion
    from ...quantification.unnamed import NamedPart

_LEAST_SHARE = 0.02


def fit_pixels(
    task: SpecimenTask,
    completion: Completion,
    named: NamedPart,
    scale: Scale,
    num_workers: int | None,
    progress: Any,
) -> tuple[FittedSignal, list[int]]:
    """Fit every pixel and correct it for its own composition.

    Parameters
    ----------
    task : SpecimenTask
    completion : Completion
    named : NamedPart
        The reference, and the channels to fit.
    scale : Scale
    num_workers : int or None
    progress : callable
        Is given the number of pixels just done.

    Returns
    -------
    fitted : FittedSignal
    columns : list of int
        Which of its columns measure.

    Raises
    ------
    ValueError
        If the channels hold nothing of a line that is to measure.
    """
    from ...physics.fractions import reference_columns
    from ...quantification.quantify import quantify
    from ...quantification.reference import matrix_effects

    reference, used = named.reference, named.used_channels
    whole = reference.g_matrix
    chosen = reference_columns(whole)
    matrix = _rows(whole.matrix, used, task)
    present = matrix.sum(axis=0) > 0
    left = np.where(used[:, None], whole.matrix, 0).sum(axis=0)
    share = left / np.maximum(whole.matrix.sum(axis=0), 1e-300)
    _check_present(whole, [chosen[e] for e in task.model.measured], share)
    places = np.cumsum(present) - 1
    columns = [int(places[chosen[e]]) for e in task.model.measured]
    kept = tuple(c for c, p in zip(whole.columns, present, strict=True) if p)
    g_matrix = replace(whole, matrix=whole.matrix[:, present], columns=kept)
    found = quantify(
        task.counts,
        matrix[:, present],
        columns,
        completion,
        effects=matrix_effects(whole, task.model, completion),
        reference=reference.mass_fractions,
        relative_errors=scale.relative_errors(task.model.measured),
        num_workers=num_workers,
        progress=progress,
    )
    if named.peaks:
        offered = _rows(whole.matrix[:, present], named.offered_channels, task)
        found = _judged_by(found, task.counts, offered, num_workers)
    fitted = FittedSignal(
        found,
        task.counts,
        matrix[:, present],
        g_matrix,
        task.excluded_pixels,
        task.excluded_channels,
    )
    return fitted, columns


def _rows(matrix: np.ndarray, used: np.ndarray, task: SpecimenTask) -> np.ndarray:
    """The channels that were read, with zeros where they are not used."""
    return np.where(used[:, None], matrix, 0)[~task.excluded_channels]


def _judged_by(
    found: Quantification, counts: Counts, matrix: np.ndarray, num_workers: int | None
) -> Quantification:
    """The same amounts, with the goodness of a fit to more channels."""
    from ...quantification.weights import fit_weights

    fit = fit_weights(counts, matrix, reported=[0], num_workers=num_workers)
    return replace(found, fit=replace(found.fit, goodness=fit.goodness))


def _check_present(g_matrix: GMatrix, columns: list[int], share: np.ndarray) -> None:
    gone = [g_matrix.names[i] for i in columns if share[i] < _LEAST_SHARE]
    if gone:
        raise ValueError(
            f"The channels that are fitted hold none of {', '.join(gone)}; leave some "
            "of them in with `signal_mask`, or leave the element out of `elements`."
        )
