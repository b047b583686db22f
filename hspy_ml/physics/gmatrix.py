# SPDX-License-Identifier: GPL-3.0-or-later
"""The G-matrix: what each element, and the continuum, puts into each channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from .acquisition import Acquisition
from .composition import atomic_number
from .depth_response import DepthResponse, depth_response
from .gmatrix_checks import check_acquisition, checked_elements, why_invisible
from .relaxation import is_quantitative
from .specimen import Specimen
from .xray_columns import continuum_columns, element_column, visible_families

if TYPE_CHECKING:
    from hyperspy.api import signals
    from matplotlib.axes import Axes

__all__ = ["Column", "GMatrix", "build_g_matrix"]


@dataclass(frozen=True)
class Column:
    """What one column of a G-matrix stands for.

    Parameters
    ----------
    name : str
        Such as "Fe K".
    kind : {"element", "continuum"}
    element : str or None
        Symbol; None for the continuum.
    family : {"K", "L", "M", "N"} or None
        Lines, or edges, in the column; None for the continuum and for columns of other
        origin.
    quantitative : bool, default True
        Whether its absolute scale is known well enough for concentrations. K lines
        are, L lines from Zr, M lines from Tb; the others have the right shape only. In
        EELS one edge of each element is, not its white lines.
    """

    name: str
    kind: Literal["element", "continuum"]
    element: str | None = None
    family: Literal["K", "L", "M", "N"] | None = None
    quantitative: bool = True


@dataclass(frozen=True, eq=False, repr=False)
class GMatrix:
    r"""Spectra of the elements, and of the continuum, as columns.

    A spectrum is the matrix times weights. Of an EDS matrix made by `build_g_matrix`,
    a column of an element is in cm2/g,

    .. math:: \mathrm{counts} = N_e \frac{\Omega}{4 \pi} \rho t \sum_Z C_Z G_Z

    with the number of electrons, the solid angle of the detector, the mass thickness
    :math:`\rho t` in g/cm2 and the mass fractions `C`: weights are proportional to
    mass fractions. Of a bulk the columns are numbers, and the mass thickness drops
    out. Continuum columns have no absolute scale; each sums to the mean of
    the element columns' sums.

    Parameters
    ----------
    matrix : ndarray, shape (n_channels, n_columns)
        Finite and not negative, float64.
    columns : tuple of Column
        What the columns stand for; their names differ.
    acquisition : Acquisition or None
        The conditions it is for; None if unknown.
    specimen : Specimen or None
        What was assumed for the absorption; None if unknown.
    concentration : {"mass", "atomic"}, default "mass"
        Whether weights are proportional to mass or to numbers of atoms.

    Raises
    ------
    ValueError
        If the matrix is not what is described above.
    """

    matrix: np.ndarray
    columns: tuple[Column, ...]
    acquisition: Acquisition | None = None
    specimen: Specimen | None = None
    concentration: Literal["mass", "atomic"] = "mass"

    def __post_init__(self) -> None:
        matrix = np.array(self.matrix, dtype=np.float64, order="C")
        object.__setattr__(self, "matrix", matrix)
        object.__setattr__(self, "columns", tuple(self.columns))
        _check_matrix(matrix, self.names)
        if self.concentration not in ("mass", "atomic"):
            raise ValueError(
                f"`concentration` is {self.concentration!r}; it is 'mass' or 'atomic'."
            )
        if self.acquisition and self.acquisition.energy.size != matrix.shape[0]:
            raise ValueError(
                f"`matrix` has {matrix.shape[0]} channels, the energy axis of "
                f"`acquisition` {self.acquisition.energy.size}."
            )

    @classmethod
    def from_array(
        cls,
        matrix: np.ndarray,
        names: Sequence[str],
        elements: Sequence[str | None],
        *,
        concentration: Literal["mass", "atomic"],
        acquisition: Acquisition | None = None,
    ) -> GMatrix:
        """A G-matrix made elsewhere.

        Parameters
        ----------
        matrix : array_like, shape (n_channels, n_columns)
        names : sequence of str
            Names of the columns.
        elements : sequence of (str or None)
            Symbol of each column; None marks continuum or background.
        concentration : {"mass", "atomic"}
            Whether weights of its columns are proportional to mass or to numbers of
            atoms. If its columns are photons per atom, "atomic".
        acquisition : Acquisition, optional
            The conditions it is for.

        Returns
        -------
        GMatrix

        Raises
        ------
        ValueError
            If sizes differ, values are negative or not finite, or a symbol is unknown.
        """
        if len(names) != len(elements):
            raise ValueError(
                f"`names` has {len(names)} entries, `elements` {len(elements)}; give "
                "one of each for a column, None as the element of a background."
            )
        for element in filter(None, elements):
            atomic_number(element)
        columns = tuple(
            Column(name, "element" if element else "continuum", element)
            for name, element in zip(names, elements, strict=True)
        )
        return cls(matrix, columns, acquisition, None, concentration)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(column.name for column in self.columns)

    @property
    def elements(self) -> tuple[str, ...]:
        """Symbols of the elements, in the order of their columns, each once."""
        return tuple(dict.fromkeys(c.element for c in self.columns if c.element))

    def column_indices(self, element: str) -> np.ndarray:
        """Columns of an element.

        Parameters
        ----------
        element : str
            Symbol.

        Returns
        -------
        ndarray of int

        Raises
        ------
        ValueError
            If the matrix has no column of the element.
        """
        found = [i for i, c in enumerate(self.columns) if c.element == element]
        if not found:
            raise ValueError(
                f"`element` {element!r} has no column; there are {list(self.elements)}."
            )
        return np.array(found)

    def plot(self, ax: Axes | None = None) -> Axes:
        """Draw the columns over the energy.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure by default.

        Returns
        -------
        matplotlib.axes.Axes
        """
        from .gmatrix_views import plot_columns

        return plot_columns(self, ax)

    def to_signal(self) -> signals.BaseSignal:
        """The columns as a HyperSpy signal, one spectrum each.

        Returns
        -------
        exspy.signals.EDSTEMSpectrum, EDSSEMSpectrum or EELSSpectrum
            Navigation axis: the columns; `hyperspy.signals.Signal1D` if the
            acquisition is unknown.
        """
        from .gmatrix_views import as_signal

        return as_signal(self)

    def __repr__(self) -> str:
        channels, columns = self.matrix.shape
        sums = self.matrix.sum(axis=0)
        width = max(map(len, self.names), default=0)
        lines = [f"GMatrix: {channels} channels x {columns} columns"]
        for column, total in zip(self.columns, sums, strict=True):
            note = "" if column.quantitative else "  shape only"
            lines.append(
                f"  {column.name:<{width}}  {column.kind:<9}  sum {total:.4g}{note}"
            )
        return "\n".join(lines)


def build_g_matrix(
    acquisition: Acquisition,
    elements: Sequence[str],
    specimen: Specimen | None = None,
    *,
    continuum_degree: int | None = 3,
) -> GMatrix:
    """The G-matrix of an EDS measurement.

    Parameters
    ----------
    acquisition : Acquisition
        Technique "EDS_TEM" or "EDS_SEM", with a detector (`make_detector`).
    elements : sequence of str
        Symbols. Each gets one column for each of its K, L and M families that is
        visible: at least 0.1 % of its photons are counted on the axis.
    specimen : Specimen, optional
        What slows the electrons down and absorbs. By default a film that does not
        absorb; for "EDS_SEM" it is needed, a bulk with its composition.
    continuum_degree : int or None, default 3
        Degree of the Bernstein basis of the continuum; None leaves it out.

    Returns
    -------
    GMatrix
        Columns of the elements in the order given, K before L before M, then of the
        continuum. Columns of elements are in cm2/g.

    Raises
    ------
    ValueError
        If no elements are given, a symbol is unknown, an element has no line on the
        axis, the beam excites none of its lines, the energies are not in keV, the
        axis is not uniform and increasing, or a bulk has no composition.

    Notes
    -----
    Cross sections of Bote and Salvat, yields and rates of xraylib, the response of
    the film or the bulk (`depth_response`), Gaussian peaks integrated over the
    channels; see `counted_lines`, `continuum_columns`.
    """
    elements = checked_elements(elements)
    check_acquisition(acquisition)
    specimen = specimen or _default_specimen(acquisition)
    response = depth_response(specimen, acquisition)
    spectra: dict[Column, np.ndarray] = {}
    for element in elements:
        spectra |= _columns_of_element(element, response, acquisition)
    if continuum_degree is not None:
        mean_sum = np.mean([spectrum.sum() for spectrum in spectra.values()])
        continuum = continuum_columns(response, acquisition, continuum_degree)
        for index, spectrum in enumerate(continuum.T):
            spectra[Column(f"continuum {index}", "continuum")] = mean_sum * spectrum
    matrix = np.column_stack(list(spectra.values()))
    return GMatrix(matrix, tuple(spectra), acquisition, specimen, "mass")


def _default_specimen(acquisition: Acquisition) -> Specimen:
    geometry = "bulk" if acquisition.technique == "EDS_SEM" else "film"
    return Specimen({}, geometry)


def _columns_of_element(
    element: str, response: DepthResponse, acquisition: Acquisition
) -> dict[Column, np.ndarray]:
    families = visible_families(element, response, acquisition)
    if not families:
        raise ValueError(why_invisible(element, acquisition))
    trusted = {f: is_quantitative(atomic_number(element), f) for f in families}
    return {
        Column(f"{element} {f}", "element", element, f, trusted[f]): element_column(
            lines, acquisition
        )
        for f, lines in families.items()
    }


def _check_matrix(matrix: np.ndarray, names: tuple[str, ...]) -> None:
    if matrix.ndim != 2 or matrix.shape[1] != len(names) or not matrix.size:
        raise ValueError(
            f"`matrix` has the shape {matrix.shape}; channels x {len(names)} columns "
            "are expected, at least one of each."
        )
    if not np.all(np.isfinite(matrix)) or matrix.min() < 0:
        raise ValueError("`matrix` must be finite and not negative.")
    if len(set(names)) != len(names):
        raise ValueError(f"names of columns must differ; {list(names)} were given.")
