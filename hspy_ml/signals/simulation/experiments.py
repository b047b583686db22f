# SPDX-License-Identifier: GPL-3.0-or-later
"""Which experiment a technique is, and which parameters it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Protocol

import numpy as np

from ...simulation.images import Scene
from ...simulation.phase_spectra import PhaseSpectra
from ...simulation.spectra import Composition, Phases
from ..options import check_choice
from .bulk import BulkExperiment
from .core_loss import CoreLossExperiment
from .film import FilmExperiment

__all__ = ["EXPERIMENTS", "Experiment", "experiment_of"]


class Experiment(Protocol):
    """A dataclass of conditions that knows how spectra come about under them."""

    phases: Mapping[str, Composition]
    counts_per_pixel: float

    def scale(self, thickness: np.ndarray | None, shape: tuple[int, int]) -> np.ndarray:
        """Intensity of the pixels in units of the mean, shape `shape`."""

    def blank(self, elements: Sequence[str]) -> Any:
        """A signal of one spectrum without counts, with conditions and elements."""

    def expected(
        self, s: Any, phases: Phases, maps: np.ndarray, scale: np.ndarray, rng: Any
    ) -> tuple[PhaseSpectra, Scene]:
        """What the phases and the scene give at some dose, the same for both."""

    def draw(self, s: Any, scene: Scene, rng: np.random.Generator) -> np.ndarray:
        """Counts, shape (n_rows, n_columns, n_channels)."""


EXPERIMENTS: dict[str, type[Experiment]] = {
    "EDS_TEM": FilmExperiment,
    "EDS_SEM": BulkExperiment,
    "EELS": CoreLossExperiment,
}


def experiment_of(technique: str, given: Mapping[str, Any]) -> Experiment:
    """The experiment of a technique.

    Parameters
    ----------
    technique : {"EDS_TEM", "EDS_SEM", "EELS"}
    given : mapping of str to value
        Parameters; those that are None are left at the technique's defaults.

    Returns
    -------
    Experiment

    Raises
    ------
    ValueError
        If the technique is unknown, or has no such parameter.
    """
    check_choice("technique", technique, tuple(EXPERIMENTS))
    known = _parameters_of(technique)
    chosen = {name: value for name, value in given.items() if value is not None}
    for name in chosen:
        if name not in known:
            others = [t for t in EXPERIMENTS if name in _parameters_of(t)]
            raise ValueError(
                f"`{name}` is for {' and '.join(others)}; leave it out for "
                f"`technique={technique!r}`."
            )
    return EXPERIMENTS[technique](**chosen)


def _parameters_of(technique: str) -> set[str]:
    return {field.name for field in fields(EXPERIMENTS[technique])}
