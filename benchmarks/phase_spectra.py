# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectra of spots of bulk phases, as a classifier gets them, from our simulation.

Two scenes of the kind of Zhang et al. (2018): the lead-tin eutectic (a lead-rich and a
tin-rich solid solution) and a powder of four oxides, La2O3, Dy2O3, SiO2 and Fe2O3. A
scanning microscope at 15 kV, take-off angle 35 degrees, polymer window, 2040 channels
of 10 eV, whose axis begins at 5 eV. Every spot has a composition, a take-off angle
(topography) and a continuum of its own, so that spots of one phase scatter more than
counting does. Counts per second are tuned once, so that the Poisson likelihood to
templates errs as often at 0.03 s as it did in the measurement of the paper's kind.

References
----------
Y. Zhang, G. M. D. Godaliyadda, N. Ferrier, E. B. Gulsoy, C. A. Bouman, C. Phatak,
Ultramicroscopy 184 (2018) 90.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import combinations

import numpy as np

from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.composition import atomic_to_mass_fractions
from hspy_ml.physics.detector import make_detector
from hspy_ml.physics.gmatrix import GMatrix
from hspy_ml.simulation.bulk_spectra import bulk_matrix
from hspy_ml.simulation.random_continuum import continuum_mixes

N_CHANNELS = 2040
ENERGY_keV = 0.005 + 0.01 * np.arange(N_CHANNELS)
BEAM_ENERGY_keV = 15.0
TAKE_OFF_ANGLE = 35.0
RESOLUTION_MnKa_eV = 130.0
CONTINUUM_SHARE = 0.5
SHIFT_eV = 50.0
DARK_PER_S = 0.2  # counts of noise in a channel: Poisson(2) at the paper's 10 s
ILL_PER_S = 2.0  # in a channel of an ill spectrum: Poisson(20) at 10 s
DWELLS_s = (10.0, 1.0, 0.3, 0.1, 0.03)

Atoms = Mapping[str, float]


@dataclass(frozen=True)
class Conditions:
    """How spots differ, and how the instrument differs from what it says.

    Parameters
    ----------
    offset_eV : float
        Of all peaks, towards higher energies.
    composition : float
        Standard deviation of the logarithm of each element's atomic fraction.
    take_off_angle : float
        Mean, degrees: another one changes what is absorbed.
    topography : float
        Standard deviation of the take-off angle, degrees.
    continuum : float
        Standard deviation of the logarithm of the continuum's level; each of its
        columns varies by half of that.
    brightness : float
        Standard deviation of the logarithm of a spot's counts.
    drift_eV : float
        Standard deviation of the energy offset between spots.
    resolution : float
        Factor of the width of the peaks at Mn Ka.
    """

    offset_eV: float = 0.0
    composition: float = 0.015
    take_off_angle: float = TAKE_OFF_ANGLE
    topography: float = 2.0
    continuum: float = 0.03
    brightness: float = 0.03
    drift_eV: float = 0.3
    resolution: float = 1.0


NOMINAL = Conditions()
#: What one sees in practice: references of one session, spectra of another.
MISMATCHED = {
    "energy scale 5 eV off": replace(NOMINAL, offset_eV=5.0),
    "composition 2 %": replace(NOMINAL, composition=0.02),
    "absorption (25 degrees)": replace(NOMINAL, take_off_angle=25.0),
    "resolution 5 % worse": replace(NOMINAL, resolution=1.05),
    "all of them": replace(
        NOMINAL, offset_eV=5.0, composition=0.02, take_off_angle=25.0, resolution=1.05
    ),
}


@dataclass(frozen=True)
class PhaseScene:
    """Phases that are known, materials that are not, and how bright they are.

    Parameters
    ----------
    title : str
    phases : mapping of str to (mapping of str to float)
        Atoms of each phase; the first has the label 1.
    foreign : mapping of str to (mapping of str to float)
        Materials that no classifier is told of.
    counts_per_s : float
        Mean over the phases, without noise.
    """

    title: str
    phases: Mapping[str, Atoms] = field(hash=False)
    foreign: Mapping[str, Atoms] = field(hash=False)
    counts_per_s: float

    @property
    def names(self) -> tuple[str, ...]:
        """The phases that are known."""
        return tuple(self.phases)

    @property
    def unknown_kinds(self) -> tuple[str, ...]:
        """Kinds of spectra that are of none of them."""
        return (*self.foreign, "mixture", "shift", "ill")

    def spots(
        self, n_per_phase: int, seed: int, conditions: Conditions = NOMINAL
    ) -> tuple[np.ndarray, np.ndarray]:
        """Spots of the phases that are known.

        Returns
        -------
        expected : ndarray, shape (n_phases * n_per_phase, n_channels)
            Counts per second, without noise.
        labels : ndarray of int16, shape (n_phases * n_per_phase,)
            From 1, in the order of `names`.
        """
        rng = np.random.default_rng([seed, 1])
        spectra = [
            self._spot(atoms, phase, rng, conditions)
            for phase, atoms in enumerate(self.phases.values())
            for _ in range(n_per_phase)
        ]
        labels = np.repeat(np.arange(1, len(self.phases) + 1), n_per_phase)
        return np.array(spectra), labels.astype(np.int16)

    def unknown_spots(
        self, kind: str, n: int, seed: int, conditions: Conditions = NOMINAL
    ) -> np.ndarray:
        """Spots of no phase that is known, shape (n, n_channels), counts per second.

        Mixtures are halves of two phases, for all pairs in turn; shifted spectra are
        of all phases in turn, as are ill ones of nothing but noise.
        """
        rng = np.random.default_rng([seed, 2, self.unknown_kinds.index(kind)])
        if kind in self.foreign:
            atoms = self.foreign[kind]
            place = len(self.phases) + list(self.foreign).index(kind)
            spots = [self._spot(atoms, place, rng, conditions) for _ in range(n)]
            return np.array(spots)
        if kind == "ill":
            return np.full((n, N_CHANNELS), ILL_PER_S - DARK_PER_S)
        if kind == "shift":
            conditions = replace(conditions, offset_eV=conditions.offset_eV + SHIFT_eV)
            phases = list(enumerate(self.phases.values())) * n
            return np.array([self._spot(a, k, rng, conditions) for k, a in phases[:n]])
        pairs = list(combinations(enumerate(self.phases.values()), 2)) * n
        return np.array(
            [
                np.mean([self._spot(a, k, rng, conditions) for k, a in pair], axis=0)
                for pair in pairs[:n]
            ]
        )

    def ideal(self, name: str, conditions: Conditions = NOMINAL) -> np.ndarray:
        """Spectrum of a phase or foreign material without scatter, shape (n_channels,).

        Counts per second, without noise.
        """
        materials = {**self.phases, **self.foreign}
        atoms = materials[name]
        return self._spot(atoms, list(materials).index(name), None, conditions)

    def _spot(
        self,
        atoms: Atoms,
        place: int,
        rng: np.random.Generator | None,
        conditions: Conditions,
    ) -> np.ndarray:
        spectrum = _spectrum(atoms, place, rng, conditions)
        whole = _brightness_of(tuple(map(_frozen, self.phases.values())))
        return spectrum * self.counts_per_s / whole


def measured(
    expected: np.ndarray, dwell_s: float, rng: np.random.Generator
) -> np.ndarray:
    """Counts of spots, with noise.

    Parameters
    ----------
    expected : ndarray, shape (n, n_channels)
        Counts per second without noise.
    dwell_s : float
    rng : numpy.random.Generator

    Returns
    -------
    ndarray of uint16, shape (n, n_channels)
    """
    return rng.poisson((expected + DARK_PER_S) * dwell_s).astype(np.uint16)


EUTECTIC = PhaseScene(
    "two-phase",
    phases={"Pb": {"Pb": 0.95, "Sn": 0.05}, "Sn": {"Sn": 0.97, "Pb": 0.03}},
    foreign={
        "Bi": {"Bi": 1.0},
        "Sn-3.5Ag": {"Sn": 0.962, "Ag": 0.038},  # the eutectic solder, 3.5 % by mass
        "Ag3Sn": {"Ag": 0.75, "Sn": 0.25},
    },
    counts_per_s=400.0,
)
POWDER = PhaseScene(
    "four-phase",
    phases={
        "La2O3": {"La": 2, "O": 3},
        "Dy2O3": {"Dy": 2, "O": 3},
        "SiO2": {"Si": 1, "O": 2},
        "Fe2O3": {"Fe": 2, "O": 3},
    },
    foreign={
        "CeO2": {"Ce": 1, "O": 2},
        "Er2O3": {"Er": 2, "O": 3},
        "Al2O3": {"Al": 2, "O": 3},
    },
    counts_per_s=1300.0,
)
SCENES = {scene.title: scene for scene in (EUTECTIC, POWDER)}


def _spectrum(
    atoms: Atoms,
    place: int,
    rng: np.random.Generator | None,
    conditions: Conditions,
) -> np.ndarray:
    """Photons of equal numbers of electrons; without generator no scatter."""
    draw = _nothing if rng is None else rng.standard_normal
    scatter = np.exp(conditions.composition * draw(len(atoms)))
    fractions = atomic_to_mass_fractions(
        {e: n * f for (e, n), f in zip(atoms.items(), scatter, strict=True)}
    )
    angle = conditions.take_off_angle + conditions.topography * draw(1)[0]
    shift = conditions.offset_eV + conditions.drift_eV * draw(1)[0]
    g_matrix = bulk_matrix(acquisition(shift, angle, conditions.resolution), fractions)
    level = np.exp(conditions.continuum * draw(1)[0])
    tilt = np.exp(0.5 * conditions.continuum * draw(4))
    mix = level * tilt * _mix(_frozen(atoms), place)
    weights = _weights(g_matrix, fractions, mix)
    bright = np.exp(conditions.brightness * draw(1)[0])
    return bright * (g_matrix.matrix @ weights)


def _weights(
    g_matrix: GMatrix, fractions: Mapping[str, float], mix: np.ndarray
) -> np.ndarray:
    """Mass fractions, and a continuum of a mix of columns that is one on average."""
    weights = np.array([fractions.get(c.element, 0.0) for c in g_matrix.columns])
    counts = g_matrix.matrix.sum(axis=0)
    rows = np.array([c.kind == "continuum" for c in g_matrix.columns])
    wanted = (counts @ weights) * CONTINUUM_SHARE / (1 - CONTINUUM_SHARE)
    weights[rows] = wanted * mix / counts[rows]
    return weights


@cache
def _mix(atoms: tuple[tuple[str, float], ...], place: int) -> np.ndarray:
    """Shares of the continuum's columns in a material, the same in all its spots."""
    g_matrix = bulk_matrix(acquisition(), atomic_to_mass_fractions(dict(atoms)))
    return continuum_mixes(g_matrix, 1, np.random.default_rng([place, 3]))[0]


def acquisition(
    shift_eV: float = 0.0, angle: float = TAKE_OFF_ANGLE, resolution: float = 1.0
) -> Acquisition:
    """The microscope; peaks are moved towards higher energies by the shift."""
    return Acquisition(
        ENERGY_keV - 1e-3 * shift_eV,
        "EDS_SEM",
        BEAM_ENERGY_keV,
        angle,
        make_detector("polymer", resolution * RESOLUTION_MnKa_eV),
    )


def _nothing(size: int) -> np.ndarray:
    return np.zeros(size)


def _frozen(atoms: Atoms) -> tuple[tuple[str, float], ...]:
    return tuple(atoms.items())


@cache
def _brightness_of(phases: tuple[tuple[tuple[str, float], ...], ...]) -> float:
    """Mean photons of the phases for equal numbers of electrons."""
    spectra = [_spectrum(dict(p), k, None, NOMINAL) for k, p in enumerate(phases)]
    return float(np.mean([s.sum() for s in spectra]))
