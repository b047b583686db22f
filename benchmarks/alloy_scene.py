# SPDX-License-Identifier: GPL-3.0-or-later
"""Thin films of Al, Ti, V and Fe with known truth, apart from any training.

Three scenes: compositions drawn evenly from all mixtures, a diffusion couple of two
alloys, and grains of alloys and compounds that exist. The continuum is Kramers' law
with an exponent of its own in every pixel, which the polynomials of a G-matrix only
come close to; L lines differ from theory by a factor of their own in every scene.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.composition import (
    atomic_weight,
    formula_mass_fractions,
    mass_to_atomic_fractions,
)
from hspy_ml.physics.continuum import LOWEST_ENERGY_KEV
from hspy_ml.physics.detector import efficiency, make_detector
from hspy_ml.physics.fractions import reference_columns
from hspy_ml.physics.gmatrix import GMatrix, build_g_matrix

ELEMENTS = ("Al", "Ti", "V", "Fe")
BEAM_ENERGY_keV = 200.0
TAKE_OFF_ANGLE = 22.0
RESOLUTION_MnKa_eV = 130.0
ENERGY_keV = np.arange(2048) * 0.01
CONTINUUM_SHARE = (0.2, 0.4)
CONTINUUM_EXPONENT = 0.1  # standard deviation of the power of E beside Kramers' law
L_LINES = 0.1  # standard deviation of the logarithm of what theory gets wrong
GRAINS = 40
ALLOYS: tuple[str | dict[str, float], ...] = (
    {"Ti": 0.90, "Al": 0.06, "V": 0.04},  # Ti-6Al-4V, mass
    {"Ti": 0.85, "V": 0.10, "Fe": 0.02, "Al": 0.03},  # Ti-10V-2Fe-3Al
    *("TiAl", "Ti3Al", "Al3Ti", "Al3V", "FeAl", "Fe3Al", "FeTi", "Fe2Ti", "FeV"),
    *("TiV", "Al", "Ti", "V", "Fe"),
)


@dataclass(frozen=True, eq=False)
class AlloyScene:
    """What is in each pixel.

    Parameters
    ----------
    name : str
    elements : tuple of str
    atomic_percent : ndarray, shape (n_rows, n_columns, n_elements)
    continuum_share : ndarray, shape (n_rows, n_columns)
        Of the counts.
    continuum_exponent : ndarray, shape (n_rows, n_columns)
        Power of the energy that Kramers' law is multiplied by.
    l_lines : ndarray, shape (n_elements,)
        Intensity of the L lines beside K, over what theory says.
    """

    name: str
    elements: tuple[str, ...]
    atomic_percent: np.ndarray
    continuum_share: np.ndarray
    continuum_exponent: np.ndarray
    l_lines: np.ndarray

    @property
    def pixels(self) -> np.ndarray:
        """Atomic percent, shape (n_pixels, n_elements)."""
        return self.atomic_percent.reshape(-1, len(self.elements))


@dataclass(frozen=True, eq=False)
class ExpectedSpectra:
    """Means of a scene for one count in each spectrum.

    Parameters
    ----------
    total : ndarray, shape (n_pixels, n_channels)
        Each sums to one.
    amounts : ndarray, shape (n_pixels, n_elements)
        Weights of the columns of the elements.
    of_elements : ndarray, shape (n_channels, n_elements)
        Spectrum of a unit of each element, all families with their true ratios.
    """

    total: np.ndarray
    amounts: np.ndarray
    of_elements: np.ndarray

    @property
    def continuum(self) -> np.ndarray:
        """What no element gives, shape (n_pixels, n_channels)."""
        return np.maximum(self.total - self.amounts @ self.of_elements.T, 0)


def instrument(
    detector: str = "windowless", offset_eV: float = 0.0, resolution: float = 1.0
) -> Acquisition:
    """A microscope, perhaps with another energy scale than its metadata say."""
    return Acquisition(
        ENERGY_keV + 1e-3 * offset_eV,
        "EDS_TEM",
        BEAM_ENERGY_keV,
        TAKE_OFF_ANGLE,
        make_detector(detector, RESOLUTION_MnKa_eV * resolution),
    )


def scenes(side: int, seed: int, l_lines: float = L_LINES) -> list[AlloyScene]:
    """The three scenes, side by side pixels each."""
    rng = np.random.default_rng(seed)
    maps = {
        "mixtures": rng.dirichlet(np.ones(len(ELEMENTS)), (side, side)),
        "couple": diffusion_couple(side),
        "grains": grains(side, rng),
    }
    return [in_a_film(n, ELEMENTS, m, rng, l_lines) for n, m in maps.items()]


def in_a_film(
    name: str,
    elements: Sequence[str],
    atomic_fractions: np.ndarray,
    rng: np.random.Generator,
    l_lines: float = L_LINES,
) -> AlloyScene:
    """Compositions with a continuum that differs from pixel to pixel."""
    shape = atomic_fractions.shape[:2]
    return AlloyScene(
        name,
        tuple(elements),
        100 * atomic_fractions,
        rng.uniform(*CONTINUUM_SHARE, shape),
        CONTINUUM_EXPONENT * rng.standard_normal(shape),
        np.exp(l_lines * rng.standard_normal(len(elements))),
    )


def diffusion_couple(side: int) -> np.ndarray:
    """Ti-6Al-4V on Fe3Al, each element with a width of its own."""
    from scipy.special import erfc

    left, right = _atomic_fractions(ALLOYS[0]), _atomic_fractions("Fe3Al")
    depth = np.linspace(-2, 2, side)[:, None]
    width = np.array([1.5, 0.6, 0.8, 1.0])  # of Al, Ti, V and Fe
    profile = right + (left - right) * erfc(depth / width) / 2
    profile = profile / profile.sum(axis=1, keepdims=True)
    return np.broadcast_to(profile, (side, *profile.shape)).copy()


def grains(side: int, rng: np.random.Generator) -> np.ndarray:
    """Cells around random points, each of one of the alloys."""
    from scipy.spatial import cKDTree

    points = rng.uniform(0, side, (GRAINS, 2))
    pixels = np.stack(np.mgrid[:side, :side], axis=-1).reshape(-1, 2)
    owner = cKDTree(points).query(pixels)[1].reshape(side, side)
    return np.array([_atomic_fractions(a) for a in ALLOYS])[owner % len(ALLOYS)]


def expected_spectra(scene: AlloyScene, acquisition: Acquisition) -> ExpectedSpectra:
    """What an instrument counts of a scene on average."""
    g_matrix = build_g_matrix(acquisition, scene.elements, continuum_degree=None)
    of_elements = _spectra_of_elements(g_matrix, scene.l_lines)
    masses = np.array([atomic_weight(e) for e in scene.elements])
    amounts = scene.pixels * masses
    share = scene.continuum_share.reshape(-1, 1)
    amounts *= (1 - share) / (amounts @ of_elements.sum(axis=0))[:, None]
    continuum = share * _continua(acquisition, scene.continuum_exponent.ravel())
    return ExpectedSpectra(continuum + amounts @ of_elements.T, amounts, of_elements)


def measured(
    expected: ExpectedSpectra,
    counts: float,
    shape: tuple[int, int],
    seed: int,
) -> Any:
    """A spectrum image whose metadata say the nominal instrument.

    Drawn photon by photon: with the same seed another instrument counts the same ones.
    """
    from exspy.signals import EDSTEMSpectrum

    rng = np.random.default_rng(seed)
    numbers = rng.poisson(counts, expected.total.shape[0])
    image = np.empty(expected.total.shape, np.uint16)
    for pixel, number in enumerate(numbers):
        cumulative = np.cumsum(expected.total[pixel])
        channels = cumulative.searchsorted(rng.random(number) * cumulative[-1])
        image[pixel] = np.bincount(channels, minlength=cumulative.size)
    s = EDSTEMSpectrum(image.reshape(*shape, -1))
    axis = s.axes_manager.signal_axes[0]
    axis.name, axis.units = "Energy", "keV"
    axis.scale, axis.offset = float(np.diff(ENERGY_keV[:2])[0]), float(ENERGY_keV[0])
    s.set_elements(list(ELEMENTS))
    s.set_microscope_parameters(
        beam_energy=BEAM_ENERGY_keV,
        tilt_stage=0.0,
        azimuth_angle=0.0,
        elevation_angle=TAKE_OFF_ANGLE,
        energy_resolution_MnKa=RESOLUTION_MnKa_eV,
    )
    return s


def with_foreign_element(
    element: str, n_known: int, n_foreign: int, share: tuple[float, float], seed: int
) -> tuple[AlloyScene, np.ndarray]:
    """Mixtures in one row of pixels, some of which hold an element that is not named.

    Returns the scene, and where the element is, shape (n_pixels,).
    """
    rng = np.random.default_rng(seed)
    foreign = np.zeros(n_known + n_foreign, bool)
    foreign[rng.choice(foreign.size, n_foreign, replace=False)] = True
    amount = foreign * rng.uniform(*share, foreign.size)
    known = rng.dirichlet(np.ones(len(ELEMENTS)), foreign.size)
    fractions = np.column_stack([known * (1 - amount[:, None]), amount])
    scene = in_a_film(element, (*ELEMENTS, element), fractions[None], rng)
    nominal = np.append(scene.l_lines[:-1], 1.0)
    return replace(scene, l_lines=nominal), foreign


def _atomic_fractions(alloy: str | Mapping[str, float]) -> np.ndarray:
    masses = formula_mass_fractions(alloy) if isinstance(alloy, str) else alloy
    atoms = mass_to_atomic_fractions(masses)
    return np.array([atoms.get(element, 0.0) for element in ELEMENTS])


def _spectra_of_elements(g_matrix: GMatrix, l_lines: np.ndarray) -> np.ndarray:
    """All families of an element; other than the one that measures, times a factor."""
    chosen = reference_columns(g_matrix)
    spectra = []
    for element, factor in zip(g_matrix.elements, l_lines, strict=True):
        own = g_matrix.column_indices(element)
        factors = np.where(own == chosen[element], 1.0, factor)
        spectra.append(g_matrix.matrix[:, own] @ factors)
    return np.column_stack(spectra)


def _continua(acquisition: Acquisition, exponent: np.ndarray) -> np.ndarray:
    """Kramers' law times a power of the energy, as it is counted; each sums to one."""
    energy = acquisition.energy
    inside = energy >= LOWEST_ENERGY_KEV
    seen = energy[inside]
    law = (BEAM_ENERGY_keV - seen) / seen * efficiency(acquisition.detector, seen)
    spectra = np.zeros((exponent.size, energy.size))
    spectra[:, inside] = law * seen ** exponent[:, None]
    return spectra / spectra.sum(axis=1, keepdims=True)
