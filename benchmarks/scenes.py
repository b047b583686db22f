# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenes to recover: small grains of two minerals in a third, of known truth.

Two simulators give the spectra: espm's own physics, with its own G, and ours. The
maps and the Poisson noise are drawn in the same way for both.
"""

from __future__ import annotations

import contextlib
import io
from copy import deepcopy
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from scipy.optimize import nnls
from scipy.sparse import csr_matrix

from hspy_ml.counts import SparseCounts
from hspy_ml.counts.building import counts_from_array
from hspy_ml.factorization.factorize import CountedImage
from hspy_ml.physics.composition import symbol
from hspy_ml.physics.gmatrix import GMatrix
from hspy_ml.simulation.images import Scene as ImageScene
from hspy_ml.simulation.images import draw_counts, scene_of_mean_counts

MAP_SHAPE = (128, 128)
RADII = (3.0, 8.0)  # pixels
GRAINS_PER_PHASE = 25
LARGEST_SHARE = 0.5
ENERGY_OFFSET_keV, N_CHANNELS = 0.2, 1980  # espm's axis, for both simulators

# Minerals of the lower mantle, in atoms by atomic number, with the two parameters of
# espm's continuum. These are scaled so that about half of the counts are continuum
# and the oracle's errors are 0.33, 0.09 and 0.02 at 18, 74 and 293 counts.
CONTINUUM_SCALE = 0.05
CONTINUUM_SHARE = 0.57
MINERALS = (
    {
        "continuum": (4.3298e-04, 6.7732e-02),
        "atoms": {8: 1.0, 12: 0.51, 14: 0.61, 13: 0.07, 20: 0.04, 62: 0.02}
        | {26: 0.028, 60: 0.002, 71: 0.003, 72: 0.003, 29: 0.02},
    },
    {
        "continuum": (1.3298e-04, 7.7732e-02),
        "atoms": {8: 0.54, 26: 0.15, 12: 1.0, 29: 0.038, 92: 0.0052}
        | {60: 0.004, 31: 0.03, 71: 0.003},
    },
    {
        "continuum": (5.3298e-04, 3.7732e-02),
        "atoms": {8: 1.0, 14: 0.12, 13: 0.18, 20: 0.47, 62: 0.04}
        | {26: 0.004, 60: 0.008, 72: 0.004, 29: 0.01},
    },
)


@dataclass(frozen=True, eq=False)
class Scene:
    """Counts, and the truth that they came from.

    Parameters
    ----------
    counts : SparseCounts
        The data.
    map_shape : tuple of int
        Rows and columns.
    abundances : ndarray, shape (n_pixels, n_phases)
        H; rows sum to one.
    spectra : ndarray, shape (n_channels, n_phases)
        Expected counts of a pixel that a phase fills.
    weights : ndarray, shape (n_columns, n_phases)
        W; of espm's spectra, the non-negative fit of its G to them.
    atomic_percent : ndarray, shape (n_elements, n_phases)
        Compositions, in the order of ``g_matrix.elements``.
    g_matrix : GMatrix
        The G that the methods are given.
    espm_model : object or None
        espm's own form of G, which it prefers to an array.
    """

    counts: SparseCounts
    map_shape: tuple[int, int]
    abundances: np.ndarray
    spectra: np.ndarray
    weights: np.ndarray
    atomic_percent: np.ndarray
    g_matrix: GMatrix
    espm_model: Any = None

    @property
    def n_phases(self) -> int:
        """Number of phases."""
        return self.spectra.shape[1]

    @property
    def image(self) -> CountedImage:
        """The counts and where they come from."""
        pixels = np.arange(self.counts.n_pixels)
        return CountedImage(self.counts, self.map_shape, pixels)

    @property
    def matrix(self) -> csr_matrix:
        """The counts for other packages, pixels by channels, float64."""
        return as_csr(self.counts)


def as_csr(counts: SparseCounts) -> csr_matrix:
    """Counts as scipy's compressed rows, float64."""
    arrays = (counts.values.astype(float), counts.channels.astype(np.int32))
    shape = (counts.n_pixels, counts.n_channels)
    return csr_matrix((*arrays, counts.offsets.astype(np.int32)), shape)


def grain_maps(random_state: int, shape: tuple[int, int] = MAP_SHAPE) -> np.ndarray:
    """Spheres of two phases, which fill at most half a pixel each, in a third.

    Parameters
    ----------
    random_state : int
        Makes the maps repeat exactly.
    shape : tuple of int
        Rows and columns.

    Returns
    -------
    ndarray, shape (n_rows, n_columns, 3)
        Abundances, which sum to one.
    """
    rng = np.random.default_rng(random_state)
    y, x = np.ogrid[: shape[0], : shape[1]]
    maps = np.zeros((*shape, len(MINERALS)))
    for phase in range(1, len(MINERALS)):
        for _ in range(GRAINS_PER_PHASE):
            centre, radius = rng.uniform(0, shape, size=2), rng.uniform(*RADII)
            squared = ((y - centre[0]) ** 2 + (x - centre[1]) ** 2) / radius**2
            chord = LARGEST_SHARE * np.sqrt(np.maximum(1 - squared, 0))
            maps[..., phase] = np.maximum(maps[..., phase], chord)
    maps[..., 0] = 1 - maps.sum(axis=2)
    return maps


def espm_scene(counts_per_pixel: float, random_state: int) -> Scene:
    """The minerals as espm simulates them, to be recovered with its G."""
    model, matrix, spectra, elements = _espm_physics()
    g_matrix = GMatrix.from_array(
        matrix,
        [*elements, "continuum 0", "continuum 1"],
        [*elements, None, None],
        concentration="atomic",
    )
    maps = grain_maps(random_state)
    bare = ImageScene(maps, spectra.T, np.ones(MAP_SHAPE))
    image = scene_of_mean_counts(bare, counts_per_pixel)
    return Scene(
        counts=_counts(draw_counts(image, 1000 + random_state)),
        map_shape=MAP_SHAPE,
        abundances=maps.reshape(-1, maps.shape[2]),
        spectra=image.spectra.T,
        weights=fitted_weights(image.spectra.T, matrix),
        atomic_percent=_atomic_percent(elements),
        g_matrix=g_matrix,
        espm_model=deepcopy(model),
    )


def own_scene(counts_per_pixel: float, random_state: int) -> Scene:
    """The minerals as our own simulator does them, to be recovered with our G."""
    import hspy_ml
    from hspy_ml.signals.simulation_truth import SimulationTruth

    s = hspy_ml.simulate(
        [{symbol(z): n for z, n in p["atoms"].items()} for p in MINERALS],
        counts_per_pixel=counts_per_pixel,
        abundances=grain_maps(random_state),
        continuum_share=CONTINUUM_SHARE,
        energy_offset_keV=ENERGY_OFFSET_keV,
        n_channels=N_CHANNELS,
        random_state=1000 + random_state,
    )
    truth = SimulationTruth.from_signal(s)
    g_matrix = hspy_ml.g_matrix(s)
    order = [truth.elements.index(element) for element in g_matrix.elements]
    return Scene(
        counts=_counts(s.data),
        map_shape=MAP_SHAPE,
        abundances=truth.abundances.reshape(-1, len(truth.phases)),
        spectra=truth.spectra.T,
        weights=truth.weights,
        atomic_percent=truth.atomic_percent[:, order].T,
        g_matrix=g_matrix,
    )


SIMULATORS = {"espm": espm_scene, "own": own_scene}


def fitted_weights(spectra: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Fit spectra by non-negative weights of G's columns.

    Least squares, each channel weighted by its Poisson error in the mean spectrum.

    Parameters
    ----------
    spectra : ndarray, shape (n_channels, n_phases)
    matrix : ndarray, shape (n_channels, n_columns)

    Returns
    -------
    ndarray, shape (n_columns, n_phases)
    """
    mean = spectra.mean(axis=1)
    weight = 1 / np.sqrt(mean + 1e-3 * mean.mean())
    scale = matrix.sum(axis=0)
    weighted = weight[:, None] * matrix / scale
    weights = [nnls(weighted, weight * spectrum)[0] for spectrum in spectra.T]
    return np.column_stack(weights) / scale[:, None]


def _counts(image: np.ndarray) -> SparseCounts:
    counts = counts_from_array(image.reshape(-1, image.shape[2]))
    assert isinstance(counts, SparseCounts)
    return counts


@cache
def _espm_physics() -> tuple[Any, np.ndarray, np.ndarray, list[str]]:
    with contextlib.redirect_stdout(io.StringIO()):
        from espm.conf import DEFAULT_EDXS_PARAMS
        from espm.models import EDXS

        model = EDXS(**deepcopy(DEFAULT_EDXS_PARAMS))
        model.generate_phases([_espm_phase(**mineral) for mineral in MINERALS])
        numbers = sorted({z for mineral in MINERALS for z in mineral["atoms"]})
        model.generate_g_matr(
            elements=[str(z) for z in numbers], elements_dict={}, ignored_elements=[]
        )
    spectra = np.asarray(model.phases, float).T
    elements = [symbol(int(z)) for z in model.model_elts]
    return model, np.asarray(model.G), spectra / spectra.sum(axis=0), elements


def _espm_phase(continuum: tuple[float, float], atoms: dict[int, float]) -> dict:
    b0, b1 = (CONTINUUM_SCALE * value for value in continuum)
    return {
        "b0": b0,
        "b1": b1,
        "elements_dict": {str(z): amount for z, amount in atoms.items()},
    }


def _atomic_percent(elements: list[str]) -> np.ndarray:
    table = np.array(
        [
            [p["atoms"].get(z, 0.0) for p in MINERALS]
            for z in map(_atomic_number, elements)
        ]
    )
    return 100 * table / table.sum(axis=0)


def _atomic_number(element: str) -> int:
    from hspy_ml.physics.composition import atomic_number

    return atomic_number(element)
