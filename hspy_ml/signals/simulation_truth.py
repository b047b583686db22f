# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a simulated spectrum image, kept in its metadata."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

from ..physics.fractions import conversion_factors, fractions

_NODE = "Simulation"


@dataclass(frozen=True, eq=False)
class SimulationTruth:
    """Phases of a simulated spectrum image: ``Y_p ~ Poisson(scale_p G W h_p)``.

    With pile-up these are the photons before two of them are counted as one; pixels of
    a solid solution in a bulk have their own G.

    Parameters
    ----------
    phases : list of str
        Names; the matrix comes first in scenes that have one.
    elements : list of str
        Symbols, in the order of the compositions.
    atomic_percent, weight_percent : ndarray, shape (n_phases, n_elements)
        Compositions.
    abundances : ndarray, shape (n_rows, n_columns, n_phases)
        h: shares of the mass of each pixel (of its counts, if the phases were made
        equally bright); they sum to one. In a bulk, of what the electrons excite.
    thickness : ndarray, shape (n_rows, n_columns)
        Mass thickness in units of the mean, ``scale_p``; one in a bulk.
    phase_mass : ndarray, shape (n_phases,)
        Mass of a pixel that a phase fills, in units of the mean; ones unless the
        phases were made equally bright.
    spectra : ndarray, shape (n_phases, n_channels)
        G W: expected counts of a pixel of mean mass thickness that a phase fills.
    weights : ndarray, shape (n_columns, n_phases)
        W. Of X-rays, elements have mass fractions; of energy losses, atoms per g; both
        times the dose.
    columns : list of str
        Names of the columns of G; in a bulk, each phase has its own G.
    settings : dict
        The parameters that made it, as plain values.
    """

    phases: list[str]
    elements: list[str]
    atomic_percent: np.ndarray
    weight_percent: np.ndarray
    abundances: np.ndarray
    thickness: np.ndarray
    phase_mass: np.ndarray
    spectra: np.ndarray
    weights: np.ndarray
    columns: list[str]
    settings: dict[str, Any]

    @property
    def weight_percent_maps(self) -> np.ndarray:
        """Percent of the mass, shape (n_rows, n_columns, n_elements)."""
        mass = self.abundances * self.phase_mass
        return (mass / mass.sum(axis=-1, keepdims=True)) @ self.weight_percent

    @property
    def atomic_percent_maps(self) -> np.ndarray:
        """Percent of the atoms, shape (n_rows, n_columns, n_elements)."""
        factors = conversion_factors(self.elements, "mass", "atomic")
        return 100 * fractions(self.weight_percent_maps, factors)

    @classmethod
    def from_signal(cls, s: Any) -> SimulationTruth:
        """Read the truth back from a signal.

        Parameters
        ----------
        s : EDSTEMSpectrum, EDSSEMSpectrum or EELSSpectrum
            From :func:`hspy_ml.simulate`, also after saving and loading. The truth is
            that of the whole image, whatever was cut from it since.

        Returns
        -------
        SimulationTruth

        Raises
        ------
        ValueError
            If the signal was not simulated, or by an older version.
        """
        if not s.metadata.has_item(_NODE):
            raise ValueError(
                "`s` has no `metadata.Simulation`; only signals from "
                "`hspy_ml.simulate(...)` hold their truth."
            )
        tree = s.metadata.get_item(_NODE).as_dictionary()
        missing = [f.name for f in fields(cls) if f.name not in tree]
        if missing:
            raise ValueError(
                f"`metadata.Simulation` of `s` has no {', '.join(missing)}, as older "
                "versions wrote it; simulate it again."
            )
        lists = {name: list(tree[name]) for name in ("phases", "elements", "columns")}
        return cls(**{f.name: tree[f.name] for f in fields(cls)} | lists)

    def write_to(self, s: Any) -> None:
        """Put the truth into the metadata of a signal.

        Parameters
        ----------
        s : hyperspy.api.signals.BaseSignal
        """
        s.metadata.add_dictionary({_NODE: asdict(self)})
