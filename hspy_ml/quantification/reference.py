# SPDX-License-Identifier: GPL-3.0-or-later
"""The G-matrix of a specimen whose composition is not known: fit, update, repeat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..physics.acquisition import Acquisition
from ..physics.detector import resolution
from ..physics.fractions import reference_columns
from ..physics.gmatrix import GMatrix, build_g_matrix
from ..physics.specimen import Specimen
from .energy_scale import EnergyScale, refine_energy_scale
from .matrix_effects import MatrixEffects, correct_amounts
from .unmeasured import Completion
from .weights import fit_spectrum

__all__ = [
    "Reference",
    "SpecimenModel",
    "column_weights",
    "find_reference",
    "matrix_effects",
    "trusted_channels",
]

TOLERANCE = 1e-5
MOST_PASSES = 30
PASSES_THAT_REFINE = 3
HIGHEST_SHARE_OF_BEAM_ENERGY = 0.95
LOWEST_ENERGY_KEV = 0.2
RESOLUTIONS_BELOW_LOWEST_LINE = 2.0


@dataclass(frozen=True, eq=False)
class SpecimenModel:
    """What is known of a specimen before its composition is.

    Parameters
    ----------
    elements : tuple of str
        All elements of the specimen.
    unmeasured : str or None
        The one whose line does not measure it.
    geometry : {"film", "bulk"}
    mass_thickness : float
        Of a film, g/cm2.
    continuum_degree : int or None
    """

    elements: tuple[str, ...]
    unmeasured: str | None = None
    geometry: str = "bulk"
    mass_thickness: float = 0.0
    continuum_degree: int | None = 3

    @property
    def measured(self) -> tuple[str, ...]:
        """The elements that lines measure."""
        return tuple(e for e in self.elements if e != self.unmeasured)

    def g_matrix(self, acquisition: Acquisition, mass_fractions: np.ndarray) -> GMatrix:
        """The G-matrix for a composition.

        Parameters
        ----------
        acquisition : Acquisition
        mass_fractions : ndarray, shape (n_elements,)

        Returns
        -------
        GMatrix
            With the lines of the unmeasured element too, if they can be seen.
        """
        fractions = dict(zip(self.elements, mass_fractions.tolist(), strict=True))
        specimen = Specimen(fractions, self.geometry, self.mass_thickness)
        build = _builder(acquisition, specimen, self.continuum_degree)
        if self.unmeasured is None:
            return build(self.elements)
        try:
            return build(self.elements)
        except ValueError:
            return build(self.measured)


@dataclass(frozen=True, eq=False)
class Reference:
    """A G-matrix with the composition that it was made for and made from.

    Parameters
    ----------
    g_matrix : GMatrix
    mass_fractions : ndarray, shape (n_elements,)
        Of all elements.
    energy_scale : EnergyScale or None
        What was refined; None if nothing was.
    n_passes : int
    converged : bool
        Whether the composition changed by less than 1e-5 at the end.
    """

    g_matrix: GMatrix
    mass_fractions: np.ndarray
    energy_scale: EnergyScale | None
    n_passes: int
    converged: bool


def find_reference(
    spectrum: np.ndarray,
    acquisition: Acquisition,
    model: SpecimenModel,
    completion: Completion,
    used_channels: np.ndarray,
    *,
    refine: bool = True,
) -> Reference:
    """Find the composition of a spectrum and the G-matrix that belongs to it.

    Parameters
    ----------
    spectrum : ndarray, shape (n_channels,)
        Counts, summed over the pixels.
    acquisition : Acquisition
        As the metadata have it.
    model : SpecimenModel
    completion : Completion
        From the amounts of `model.measured` to those of all elements.
    used_channels : ndarray of bool, shape (n_channels,)
        What is fitted.
    refine : bool, default True
        Whether to refine energy scale and resolution on the way.

    Returns
    -------
    Reference
    """
    fractions = np.full(len(model.elements), 1 / len(model.elements))
    scale, refined, converged = None, acquisition, False
    for n_passes in range(1, MOST_PASSES + 1):
        if refine and n_passes <= PASSES_THAT_REFINE:
            scale = refine_energy_scale(
                spectrum,
                acquisition,
                lambda a, now=fractions: model.g_matrix(a, now),
                used_channels,
                scale,
            )
            refined = scale.applied_to(acquisition)
        g_matrix = model.g_matrix(refined, fractions)
        following = _composition(
            spectrum, g_matrix, model, completion, fractions, used_channels
        )
        change = np.abs(following - fractions).max()
        fractions = following
        if change < TOLERANCE and not (refine and n_passes < PASSES_THAT_REFINE):
            converged = True
            break
    g_matrix = model.g_matrix(refined, fractions)
    return Reference(g_matrix, fractions, scale, n_passes, converged)


def column_weights(
    spectrum: np.ndarray, g_matrix: GMatrix, used_channels: np.ndarray
) -> np.ndarray:
    """Weights of the columns that explain a spectrum.

    Parameters
    ----------
    spectrum : ndarray, shape (n_channels,)
    g_matrix : GMatrix
    used_channels : ndarray of bool, shape (n_channels,)

    Returns
    -------
    ndarray, shape (n_columns,)
        Zero for columns that do not reach the channels used.
    """
    fit, present = fit_spectrum(spectrum, g_matrix.matrix, used_channels)
    weights = np.zeros(present.size)
    weights[present] = fit.weights[0]
    return weights


def trusted_channels(
    acquisition: Acquisition, elements: Sequence[str], g_matrix: GMatrix
) -> np.ndarray:
    """Channels that the model describes.

    From two resolutions below the lowest line that the elements are quantified by
    (one half where that is below 0.2 keV, where noise is counted) up to 95 % of the
    beam energy.

    Parameters
    ----------
    acquisition : Acquisition
    elements : sequence of str
        Of which the lowest line decides.
    g_matrix : GMatrix

    Returns
    -------
    ndarray of bool, shape (n_channels,)
    """
    energy = acquisition.energy
    chosen = reference_columns(g_matrix)
    peaks = [energy[g_matrix.matrix[:, chosen[e]].argmax()] for e in elements]
    lowest = min(peaks)
    fwhm = float(resolution(acquisition.detector, lowest))
    start = max(
        lowest - RESOLUTIONS_BELOW_LOWEST_LINE * fwhm,
        min(LOWEST_ENERGY_KEV, lowest - 0.5 * fwhm),
    )
    end = HIGHEST_SHARE_OF_BEAM_ENERGY * acquisition.beam_energy_keV
    return (energy >= start) & (energy <= end)


def matrix_effects(
    g_matrix: GMatrix, model: SpecimenModel, completion: Completion
) -> MatrixEffects:
    """The matrix effects on the columns that measure."""
    columns = reference_columns(g_matrix)
    families = {e: g_matrix.columns[columns[e]].family for e in model.measured}
    return MatrixEffects(
        g_matrix.acquisition,
        families,
        model.geometry,
        model.mass_thickness,
        completion,
    )


def _composition(
    spectrum: np.ndarray,
    g_matrix: GMatrix,
    model: SpecimenModel,
    completion: Completion,
    reference: np.ndarray,
    used_channels: np.ndarray,
) -> np.ndarray:
    columns = reference_columns(g_matrix)
    measured = [columns[e] for e in model.measured]
    weights = column_weights(spectrum, g_matrix, used_channels)[None, measured]
    effects = matrix_effects(g_matrix, model, completion)
    ratios, _ = correct_amounts(weights, effects, reference)
    amounts = completion.amounts(weights / ratios)[0]
    if not amounts.sum() > 0:
        return reference
    return amounts / amounts.sum()


def _builder(acquisition, specimen, continuum_degree):
    def build(elements: Sequence[str]) -> GMatrix:
        return build_g_matrix(
            acquisition, elements, specimen, continuum_degree=continuum_degree
        )

    return build
