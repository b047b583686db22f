# SPDX-License-Identifier: GPL-3.0-or-later
"""A bank of core-loss spectra of random films."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..physics.fractions import fraction_errors, reference_columns
from ..physics.gmatrix import GMatrix
from .channel_bins import ChannelBins
from .random_core_losses import JUMP_RATIOS, core_loss_intensities
from .random_populations import draw_populations
from .spectrum_bank import SpectrumBank
from .xray_specimens import population_moments

__all__ = ["EelsTolerances", "eels_bank"]

N_POPULATIONS = 1000
PIXELS_OF_A_POPULATION = 64
N_INSTRUMENTS = 64
N_TYPICAL = 200


@dataclass(frozen=True)
class EelsTolerances:
    """Largest differences between a spectrometer and its description.

    Parameters
    ----------
    energy_offset_eV : float, default 1
        Of the energy of every channel, uniform on both sides.
    broadening_eV : float, default 0.5
        Standard deviation of what blurs the edges besides; uniform from zero.
    """

    energy_offset_eV: float = 1.0
    broadening_eV: float = 0.5


def eels_bank(
    g_matrix: GMatrix,
    *,
    counts: tuple[float, float],
    bins: ChannelBins,
    tolerances: EelsTolerances | None = None,
    jump_ratios: tuple[float, float] = JUMP_RATIOS,
    n_populations: int | None = None,
    n_instruments: int | None = None,
    random_state: int | np.random.Generator | None = None,
) -> SpectrumBank:
    """Make specimens and spectrometers, and the spectra that they expect.

    Edges and white lines are shifted and broadened; the background is not, since a
    power law that is shifted by a few eV is one of another exponent. Plural scattering
    is what the G-matrix was convolved with.

    Parameters
    ----------
    g_matrix : GMatrix
        Of an EELS acquisition: edges, white lines and powers of the energy, see
        :func:`hspy_ml.physics.eels_gmatrix.build_eels_g_matrix`.
    counts : tuple of float
        Fewest and most expected counts of a spectrum, background included.
    bins : ChannelBins
        Which channels are drawn, and how many are summed.
    tolerances : EelsTolerances, optional
        How far the spectrometers may be from the G-matrix.
    jump_ratios : tuple of float, default (1.05, 6)
        Of an even mixture of the elements, see
        :func:`hspy_ml.simulation.random_core_losses.core_loss_intensities`.
    n_populations, n_instruments : int, optional
        By default 1000 and 64.
    random_state : int or numpy.random.Generator, optional
        Makes the bank repeat exactly.

    Returns
    -------
    SpectrumBank
        Its columns are those of the G-matrix; the first instrument is as described.

    Raises
    ------
    ValueError
        If the G-matrix is not of an EELS acquisition, its columns do not count atoms,
        or the jump ratios are not above one and rising.
    """
    _check(g_matrix, jump_ratios)
    rng = np.random.default_rng(random_state)
    elements = g_matrix.elements
    n_instruments = n_instruments or N_INSTRUMENTS
    atoms, anything = draw_populations(
        n_populations or N_POPULATIONS, PIXELS_OF_A_POPULATION, len(elements), rng
    )
    populations = population_moments(atoms, anything)
    atoms = atoms.reshape(-1, len(elements))
    intensities = core_loss_intensities(g_matrix, atoms, jump_ratios, rng)
    counted = bins.summed(
        _measured_columns(g_matrix, tolerances or EelsTolerances(), n_instruments, rng)
    )
    sums = counted.sum(axis=2)
    shapes = counted / np.maximum(sums, 1e-300)[..., None]
    chosen = rng.integers(atoms.shape[0], size=N_TYPICAL)
    return SpectrumBank(
        elements=elements,
        columns=g_matrix.columns,
        unnamed=(),
        measuring=tuple(reference_columns(g_matrix)[e] for e in elements),
        transfer=np.eye(len(elements)),
        atomic_fractions=atoms,
        populations=populations.reshape(atoms.shape[0], -1),
        intensities=intensities,
        shapes=shapes.astype(np.float32),
        gains=sums / g_matrix.matrix.sum(axis=0),
        instruments_of=_any_of(n_instruments, atoms.shape[0]),
        counts=counts,
        variance_of_a_count=_variance_of_a_count(
            g_matrix, shapes[0], intensities[chosen]
        ),
    )


def _variance_of_a_count(
    g_matrix: GMatrix, shapes: np.ndarray, intensities: np.ndarray
) -> float:
    """Counts times the variance of a fraction: median of the Cramer-Rao bounds.

    All columns are free but for white lines, which many specimens do not have.
    """
    kept = np.array([c.element is None or c.quantitative for c in g_matrix.columns])
    measuring = list(reference_columns(g_matrix).values())
    places = np.cumsum(kept)[measuring] - 1
    mean = intensities @ shapes
    inverse = np.divide(1, mean, out=np.zeros_like(mean), where=mean > 0)
    information = np.einsum(
        "kc,nc,lc->nkl", shapes[kept], inverse, shapes[kept], optimize=True
    )
    covariance = np.linalg.pinv(information, hermitian=True)[:, places][:, :, places]
    atoms_per_count = 1 / g_matrix.matrix[:, measuring].sum(axis=0)
    amounts = intensities[:, measuring]
    return float(np.median(fraction_errors(amounts, covariance, atoms_per_count)) ** 2)


def _any_of(n_instruments: int, n_specimens: int) -> np.ndarray:
    return np.broadcast_to(np.arange(n_instruments), (n_specimens, n_instruments))


def _measured_columns(
    g_matrix: GMatrix,
    tolerances: EelsTolerances,
    n_instruments: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """Columns as spectrometers see them, (n_instruments, n_columns, n_channels)."""
    width = g_matrix.acquisition.channel_width
    shifts = tolerances.energy_offset_eV / width * rng.uniform(-1, 1, n_instruments)
    blurs = tolerances.broadening_eV / width * rng.uniform(0, 1, n_instruments)
    shifts[0] = blurs[0] = 0.0
    inside = np.flatnonzero((g_matrix.matrix > 0).any(axis=1))
    window = slice(inside[0], inside[-1] + 1)
    of_elements = np.array([c.element is not None for c in g_matrix.columns])
    whole = np.repeat(g_matrix.matrix.T[None], n_instruments, axis=0)
    edges = g_matrix.matrix.T[of_elements, window]
    for columns, shift, blur in zip(whole, shifts, blurs, strict=True):
        columns[of_elements, window] = _displaced(edges, shift, blur)
    return whole


def _displaced(rows: np.ndarray, shift: float, blur: float) -> np.ndarray:
    """Rows blurred by a Gaussian and moved, in channels; the ends go on as they are."""
    from scipy import ndimage

    if blur > 0:
        rows = ndimage.gaussian_filter1d(rows, blur, mode="nearest")
    return ndimage.shift(rows, (0.0, shift), order=1, mode="nearest")


def _check(g_matrix: GMatrix, jump_ratios: tuple[float, float]) -> None:
    acquisition = g_matrix.acquisition
    if acquisition is None or acquisition.technique != "EELS":
        raise ValueError(
            "`g_matrix` is not of an EELS acquisition; make it with "
            "`hspy_ml.g_matrix(s)` from a core-loss signal."
        )
    if g_matrix.concentration != "atomic":
        raise ValueError(
            "`g_matrix` counts mass; its columns must count atoms "
            '(`concentration="atomic"`).'
        )
    low, high = jump_ratios
    if not 1 < low <= high < np.inf:
        raise ValueError(
            f"`jump_ratios` is {jump_ratios!r}; give the smallest and the largest, "
            "both above 1, such as (1.05, 6)."
        )
