# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of a simulated spectrum image, kept in its metadata."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np

_NODE = "Simulation"


@dataclass(frozen=True, eq=False)
class SimulationTruth:
    """Phases of a simulated spectrum image: ``Y_p ~ Poisson(scale_p G W h_p)``.

    Parameters
    ----------
    phases : list of str
        Names; the matrix comes first in scenes of grains.
    elements : list of str
        Symbols, in the order of the compositions.
    atomic_percent, weight_percent : ndarray, shape (n_phases, n_elements)
        Compositions.
    abundances : ndarray, shape (n_rows, n_columns, n_phases)
        h: shares of the mass thickness of each pixel (of its counts, if the phases
        were made equally bright); they sum to one.
    thickness : ndarray, shape (n_rows, n_columns)
        Mass thickness in units of the mean, ``scale_p``.
    spectra : ndarray, shape (n_phases, n_channels)
        G W: expected counts of a pixel of mean mass thickness that a phase fills.
    weights : ndarray, shape (n_columns, n_phases)
        W.
    columns : list of str
        Names of the columns of G.
    settings : dict
        The parameters that made it, as plain values.
    """

    phases: list[str]
    elements: list[str]
    atomic_percent: np.ndarray
    weight_percent: np.ndarray
    abundances: np.ndarray
    thickness: np.ndarray
    spectra: np.ndarray
    weights: np.ndarray
    columns: list[str]
    settings: dict[str, Any]

    @classmethod
    def from_signal(cls, s: Any) -> SimulationTruth:
        """Read the truth back from a signal.

        Parameters
        ----------
        s : EDSTEMSpectrum
            From :func:`hspy_ml.simulate`, also after saving and loading. The truth is
            that of the whole image, whatever was cut from it since.

        Returns
        -------
        SimulationTruth

        Raises
        ------
        ValueError
            If the signal was not simulated.
        """
        if not s.metadata.has_item(_NODE):
            raise ValueError(
                "`s` has no `metadata.Simulation`; only signals from "
                "`hspy_ml.simulate(...)` hold their truth."
            )
        tree = s.metadata.get_item(_NODE).as_dictionary()
        lists = {name: list(tree[name]) for name in ("phases", "elements", "columns")}
        return cls(**{f.name: tree[f.name] for f in fields(cls)} | lists)

    def write_to(self, s: Any) -> None:
        """Put the truth into the metadata of a signal.

        Parameters
        ----------
        s : hyperspy.api.signals.BaseSignal
        """
        s.metadata.add_dictionary({_NODE: asdict(self)})
