# SPDX-License-Identifier: GPL-3.0-or-later
"""What is decided before a signal is deconvolved."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .blocks import Apply

__all__ = ["Plan"]


@dataclass(frozen=True, eq=False)
class Plan:
    """How every spectrum of a signal is deconvolved.

    Parameters
    ----------
    apply : callable
        See :mod:`hspy_ml.signals.deconvolution.blocks`.
    settings : dict
        What was decided, as plain values.
    notes : list of str
        Why.
    response : ndarray, shape (2 m + 1,), or None
        The PSF, or the mean of several.
    offset_change : float
        To be added to the offset of the energy axis, in its units.
    """

    apply: Apply
    settings: dict[str, Any]
    notes: list[str] = field(default_factory=list)
    response: np.ndarray | None = None
    offset_change: float = 0.0
