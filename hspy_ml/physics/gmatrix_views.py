# SPDX-License-Identifier: GPL-3.0-or-later
"""A G-matrix as a figure and as a HyperSpy signal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .acquisition import Acquisition

if TYPE_CHECKING:
    from hyperspy.api import signals
    from matplotlib.axes import Axes

    from .gmatrix import Column, GMatrix

__all__ = ["as_signal", "plot_columns"]

SMALLEST_SHOWN = 1e-5  # of the highest channel


def plot_columns(g_matrix: GMatrix, ax: Axes | None = None) -> Axes:
    """Draw the columns: elements in colours, the continuum dashed and grey.

    White lines of EELS have the colour of their edge, and no label of their own.
    """
    if ax is None:
        import matplotlib.pyplot as plt

        _, ax = plt.subplots(figsize=(8, 4.5), layout="constrained")
    energy, label = _energy_axis(g_matrix)
    highest = g_matrix.matrix.max()
    edges: dict[str, str] = {}
    for column, spectrum in zip(g_matrix.columns, g_matrix.matrix.T, strict=True):
        shown = np.where(spectrum > SMALLEST_SHOWN * highest, spectrum, np.nan)
        style = _style(column, edges)
        line = ax.plot(energy, shown, **{"lw": 1.2, "label": column.name, **style})[0]
        edges.setdefault(_edge(column), line.get_color())
    ax.set(xlabel=label, ylabel=_intensity_label(g_matrix), yscale="log")
    ax.legend(
        fontsize="small",
        ncols=1 + len(ax.get_legend_handles_labels()[1]) // 16,
        loc="upper left",
        bbox_to_anchor=(1, 1),
    )
    return ax


def _edge(column: Column) -> str:
    return f"{column.element} {column.family}"


def _style(column: Column, edges: dict[str, str]) -> dict[str, Any]:
    if column.kind == "continuum":
        return {"color": "0.5", "ls": "--"}
    if column.name.endswith(" eV") and _edge(column) in edges:
        return {"color": edges[_edge(column)], "lw": 0.5, "label": None}
    return {}


def as_signal(g_matrix: GMatrix) -> signals.BaseSignal:
    """The columns as spectra of a HyperSpy signal, with the metadata it needs."""
    import hyperspy.api as hs

    signal = hs.signals.Signal1D(g_matrix.matrix.T.copy())
    signal.metadata.General.title = "G-matrix"
    signal.metadata.set_item("G_matrix.columns", list(g_matrix.names))
    signal.axes_manager[0].name = "column"
    if g_matrix.acquisition is not None:
        acquisition = g_matrix.acquisition
        _set_energy_axis(signal.axes_manager[-1], acquisition)
        signal.set_signal_type(acquisition.technique)
        signal.metadata.add_dictionary(_instrument(acquisition))
    if g_matrix.elements:
        signal.metadata.set_item("Sample.elements", sorted(g_matrix.elements))
    return signal


def _energy_axis(g_matrix: GMatrix) -> tuple[np.ndarray, str]:
    acquisition = g_matrix.acquisition
    if acquisition is None:
        return np.arange(g_matrix.matrix.shape[0]), "Channel"
    if acquisition.technique == "EELS":
        return acquisition.energy, "Energy loss (eV)"
    return acquisition.energy, "Energy (keV)"


def _intensity_label(g_matrix: GMatrix) -> str:
    acquisition = g_matrix.acquisition
    if acquisition is not None and acquisition.technique.startswith("EDS"):
        return r"Photons per electron and mass thickness (cm$^2$/g)"
    if acquisition is not None and g_matrix.concentration == "atomic":
        return r"Counts per electron and atom per area (nm$^2$)"
    return "Intensity"


def _set_energy_axis(axis: Any, acquisition: Acquisition) -> None:
    eels = acquisition.technique == "EELS"
    axis.name = "Energy loss" if eels else "Energy"
    axis.units = "eV" if eels else "keV"
    axis.scale = acquisition.channel_width
    axis.offset = float(acquisition.energy[0])


def _instrument(acquisition: Acquisition) -> dict[str, Any]:
    microscope = "SEM" if acquisition.technique == "EDS_SEM" else "TEM"
    conditions: dict[str, Any] = {"beam_energy": acquisition.beam_energy_keV}
    if acquisition.detector is not None:
        conditions["Detector"] = {"EDS": _detector(acquisition)}
    if acquisition.technique == "EELS":
        conditions["convergence_angle"] = acquisition.convergence_angle_mrad
        angle = acquisition.collection_angle_mrad
        conditions["Detector"] = {"EELS": {"collection_angle": angle}}
    return {"Acquisition_instrument": {microscope: conditions}}


def _detector(acquisition: Acquisition) -> dict[str, float]:
    return {
        "energy_resolution_MnKa": acquisition.detector.resolution_MnKa_eV,
        "elevation_angle": acquisition.take_off_angle,
        "azimuth_angle": 0.0,
    }
