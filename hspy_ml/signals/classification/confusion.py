# SPDX-License-Identifier: GPL-3.0-or-later
"""Labels beside the truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...classification.scores import confusion_matrix

if TYPE_CHECKING:
    from .result import ClassificationResult

NO_PHASE_NAME = "none"


@dataclass(frozen=True, eq=False)
class Confusion:
    """How often each true phase got each label.

    Parameters
    ----------
    names : tuple of str
        Of rows and columns; the first is "none".
    table : ndarray of int, shape (n_phases + 1, n_phases + 1)
        Pixels of each true label (rows) and each label found (columns).
    """

    names: tuple[str, ...]
    table: np.ndarray

    @classmethod
    def of(cls, result: ClassificationResult, truth: Any) -> Confusion:
        """Compare a result with true labels; see `ClassificationResult.confusion`."""
        flat = _checked_truth(result, truth)
        compared = result.is_classified & (flat >= 0)
        found = result.label_array[compared]
        table = confusion_matrix(flat[compared], found, result.n_phases)
        return cls((NO_PHASE_NAME, *result.names), table)

    @property
    def error(self) -> float:
        """Share of the pixels whose label is wrong."""
        return float(1 - np.trace(self.table) / max(self.table.sum(), 1))

    def __str__(self) -> str:
        width = max(8, *(len(name) + 1 for name in self.names))
        head = " " * width + "".join(f"{name:>{width}}" for name in self.names)
        rows = [
            f"{name:<{width}}" + "".join(f"{value:>{width}}" for value in row)
            for name, row in zip(self.names, self.table, strict=True)
        ]
        title = "true phase (rows) and label (columns), pixels"
        return "\n".join([title, head, *rows, f"wrong: {100 * self.error:.3g} %"])

    __repr__ = __str__


def _checked_truth(result: ClassificationResult, truth: Any) -> np.ndarray:
    data = np.asarray(truth.data if hasattr(truth, "axes_manager") else truth)
    if data.dtype.kind not in "ui":
        raise TypeError(
            f"`truth` is of the type {data.dtype}; give whole numbers, 1 for "
            f"{result.names[0]!r} and 0 for none."
        )
    if data.shape != result.frame.map_shape:
        raise ValueError(
            f"`truth` has the shape {data.shape}; that of the map in the array is "
            f"{result.frame.map_shape}."
        )
    if data.max() > result.n_phases:
        raise ValueError(
            f"`truth` goes up to {data.max()}, but there are {result.n_phases} phases."
        )
    return data.ravel().astype(np.int64)
