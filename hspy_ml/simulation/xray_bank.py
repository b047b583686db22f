# SPDX-License-Identifier: GPL-3.0-or-later
"""A bank of X-ray spectra of random films or bulks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..physics.acquisition import Acquisition
from ..physics.fractions import reference_columns
from ..physics.gmatrix import GMatrix, build_g_matrix
from ..physics.intensities import family_intensities
from ..physics.specimen import Specimen
from .channel_bins import ChannelBins
from .random_continuum import continuum_mixes
from .random_instruments import Tolerances, draw_acquisitions
from .spectrum_bank import SpectrumBank
from .unnamed_elements import unnamed_column, unnamed_spectra, with_unnamed
from .xray_specimens import XraySpecimens

__all__ = ["xray_bank", "xray_columns"]

N_POPULATIONS = 1000
N_INSTRUMENTS = 128
NEAREST_INSTRUMENTS = 8
PILE_UP = 0.005
CONTINUUM_SHARES = {"film": (0.03, 0.7), "bulk": (0.1, 0.9)}
THICKNESS_SPREAD = 0.3  # of its logarithm
UNCERTAIN_FAMILY = 0.25  # of the logarithm of its intensity


def xray_bank(
    acquisition: Acquisition,
    specimens: XraySpecimens,
    *,
    counts: tuple[float, float],
    bins: ChannelBins,
    continuum_degree: int | None = 3,
    tolerances: Tolerances | None = None,
    n_populations: int | None = None,
    n_instruments: int | None = None,
    random_state: int | np.random.Generator | None = None,
) -> SpectrumBank:
    """Make specimens and instruments, and the spectra that they expect.

    Parameters
    ----------
    acquisition : Acquisition
        Of an EDS signal.
    specimens : XraySpecimens
    counts : tuple of float
        Fewest and most expected counts of a spectrum.
    bins : ChannelBins
        Which channels are used, and how many are summed.
    continuum_degree : int or None, default 3
        As in `build_g_matrix`.
    tolerances : Tolerances, optional
        How far the instruments may be from `acquisition`.
    n_populations, n_instruments : int, optional
        By default 1000 and 128.
    random_state : int or numpy.random.Generator, optional
        Makes the bank repeat exactly.

    Returns
    -------
    SpectrumBank
        Its columns are those of the G-matrix of an even mixture.
    """
    rng = np.random.default_rng(random_state)
    n_instruments = n_instruments or N_INSTRUMENTS
    atoms, populations = specimens.draw(n_populations or N_POPULATIONS, rng)
    nominal = xray_columns(acquisition, specimens, continuum_degree)
    others = draw_acquisitions(acquisition, n_instruments, tolerances, rng)
    centres = atoms[rng.integers(atoms.shape[0], size=n_instruments)]
    matrices = [
        _g_matrix(a, specimens, centre, continuum_degree)
        for a, centre in zip(others, centres, strict=True)
    ]
    named = np.stack([_aligned(g, nominal) for g in matrices])
    whole = np.concatenate(
        [named, unnamed_spectra(others, specimens.elements, specimens.unnamed, rng)],
        axis=1,
    )
    shapes = bins.summed(whole)
    sums = shapes.sum(axis=2)
    kept = sums / np.maximum(whole.sum(axis=2), 1e-300)
    n_named = len(nominal.columns)
    gains = kept
    gains[:, :n_named] *= _sensitivity(nominal, specimens, others, centres, acquisition)
    intensities = with_unnamed(
        _intensities(nominal, specimens, atoms, acquisition, rng),
        specimens.unnamed,
        rng,
    )
    return SpectrumBank(
        specimens.elements,
        (*nominal.columns, *map(unnamed_column, specimens.unnamed)),
        specimens.unnamed,
        tuple(reference_columns(nominal)[e] for e in specimens.measured),
        specimens.transfer,
        atoms,
        populations,
        intensities,
        (shapes / np.maximum(sums, 1e-300)[..., None]).astype(np.float32),
        gains,
        _nearest(atoms, centres, specimens),
        counts,
        PILE_UP,
        bins.place_of(acquisition.energy, 0.0),
    )


def xray_columns(
    acquisition: Acquisition, specimens: XraySpecimens, continuum_degree: int | None
) -> GMatrix:
    """The G-matrix of an even mixture, whose columns a bank has.

    Parameters
    ----------
    acquisition : Acquisition
    specimens : XraySpecimens
    continuum_degree : int or None

    Returns
    -------
    GMatrix
        Without the columns of elements that are not named.
    """
    return _g_matrix(acquisition, specimens, _even(specimens), continuum_degree)


def _even(specimens: XraySpecimens) -> np.ndarray:
    atoms = specimens.transfer.sum(axis=1)
    return atoms / atoms.sum()


def _g_matrix(
    acquisition: Acquisition,
    specimens: XraySpecimens,
    atoms: np.ndarray,
    continuum_degree: int | None,
) -> GMatrix:
    mass = specimens.mass_fractions(atoms).tolist()
    composition = dict(zip(specimens.elements, mass, strict=True))
    specimen = Specimen(composition, specimens.geometry, specimens.mass_thickness)
    return build_g_matrix(
        acquisition, specimens.elements, specimen, continuum_degree=continuum_degree
    )


def _aligned(g_matrix: GMatrix, like: GMatrix) -> np.ndarray:
    """Columns in the order of another matrix, shape (n_columns, n_channels)."""
    place = {name: i for i, name in enumerate(g_matrix.names)}
    rows = np.zeros((len(like.names), g_matrix.matrix.shape[0]))
    for row, name in enumerate(like.names):
        if name in place:
            rows[row] = g_matrix.matrix[:, place[name]]
    return rows


def _families(g_matrix: GMatrix) -> list[tuple[str, str]]:
    return [(c.element, c.family) for c in g_matrix.columns if c.element]


def _sensitivity(
    nominal: GMatrix,
    specimens: XraySpecimens,
    acquisitions: Sequence[Acquisition],
    centres: np.ndarray,
    acquisition: Acquisition,
) -> np.ndarray:
    """Counts of each column over what the instrument as described would count."""
    families = _families(nominal)
    factors = np.ones((len(acquisitions), len(nominal.columns)))
    for row, (other, atoms) in enumerate(zip(acquisitions, centres, strict=True)):
        mass = specimens.mass_fractions(atoms)
        here, there = (
            family_intensities(
                families,
                specimens.elements,
                mass,
                specimens.geometry,
                specimens.mass_thickness,
                a,
            )
            for a in (other, acquisition)
        )
        factors[row, : len(families)] = here / np.maximum(there, 1e-300)
    return factors


def _intensities(
    nominal: GMatrix,
    specimens: XraySpecimens,
    atoms: np.ndarray,
    acquisition: Acquisition,
    rng: np.random.Generator,
) -> np.ndarray:
    """Shares of the counts in each column, shape (n_specimens, n_columns)."""
    mass = specimens.mass_fractions(atoms)
    families = _families(nominal)
    spread = THICKNESS_SPREAD * rng.standard_normal(atoms.shape[0])
    per_amount = family_intensities(
        families,
        specimens.elements,
        mass,
        specimens.geometry,
        specimens.mass_thickness * np.exp(spread),
        acquisition,
    )
    place = [specimens.elements.index(element) for element, _ in families]
    lines = (
        per_amount * mass[:, place] * _doubt(nominal, specimens, rng, atoms.shape[0])
    )
    lines = lines / lines.sum(axis=1, keepdims=True)
    mix = continuum_mixes(nominal, atoms.shape[0], rng)
    if mix.shape[1] == 0:
        return lines
    low, high = CONTINUUM_SHARES[specimens.geometry]
    share = rng.uniform(low, high, size=(atoms.shape[0], 1))
    return np.hstack([(1 - share) * lines, share * mix])


def _doubt(
    nominal: GMatrix, specimens: XraySpecimens, rng: np.random.Generator, n: int
) -> np.ndarray:
    """Random factors of families whose intensity is not well known."""
    measuring = set(reference_columns(nominal).values())
    sure = np.array(
        [
            column.element in specimens.measured
            and (column.quantitative or index in measuring)
            for index, column in enumerate(nominal.columns)
            if column.element
        ]
    )
    factors = np.exp(UNCERTAIN_FAMILY * rng.standard_normal((n, sure.size)))
    return np.where(sure, 1.0, factors)


def _nearest(
    atoms: np.ndarray, centres: np.ndarray, specimens: XraySpecimens
) -> np.ndarray:
    """The instruments whose columns were made for the most similar compositions.

    In a film that does not absorb, columns are the same for all of them.
    """
    n = min(NEAREST_INSTRUMENTS, centres.shape[0])
    if specimens.geometry == "film" and not specimens.mass_thickness:
        return np.broadcast_to(
            np.arange(centres.shape[0]), (atoms.shape[0], centres.shape[0])
        )
    from scipy.spatial import cKDTree

    mass, of_centres = map(specimens.mass_fractions, (atoms, centres))
    return cKDTree(of_centres).query(mass, n)[1].reshape(-1, n)
