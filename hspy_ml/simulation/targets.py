# SPDX-License-Identifier: GPL-3.0-or-later
"""What the beam hits: a bulk, films, a particle on a substrate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hspy_ml.physics.composition import atomic_number, formula_mass_fractions
from hspy_ml.physics.specimen import Specimen

__all__ = [
    "Box",
    "Film",
    "Material",
    "Particle",
    "Sphere",
    "Target",
    "bulk",
    "films",
    "material",
    "particle_on_substrate",
]


@dataclass(frozen=True)
class Material:
    """A homogeneous solid.

    Parameters
    ----------
    mass_fractions : mapping of str to float
        Symbols and mass fractions, which sum to one.
    density : float
        g/cm3.

    Raises
    ------
    ValueError
        If the fractions are negative or do not sum to one, there are none, or the
        density is not above zero.
    """

    mass_fractions: Mapping[str, float]
    density: float

    def __post_init__(self) -> None:
        checked = Specimen(self.mass_fractions).mass_fractions
        present = {e: f for e, f in checked.items() if f > 0}
        if not present:
            raise ValueError("`mass_fractions` is empty; a material needs an element.")
        total = sum(present.values())
        normalised = {e: f / total for e, f in present.items()}
        object.__setattr__(self, "mass_fractions", normalised)
        _check_positive(density=self.density)


def material(formula: str, density: float | None = None) -> Material:
    """Material of a chemical formula.

    Parameters
    ----------
    formula : str
        Such as "SiO2" or "Cu".
    density : float, optional
        g/cm3. May be left out for an element, which then has xraylib's.

    Returns
    -------
    Material

    Raises
    ------
    ValueError
        If the formula cannot be read, or the density of a compound is missing.

    Examples
    --------
    >>> material("SiO2", density=2.2).density
    2.2
    """
    import xraylib

    fractions = formula_mass_fractions(formula)
    if density is None:
        if len(fractions) > 1:
            raise ValueError(
                f"`density` of {formula!r} is missing; only that of elements is known. "
                f"Pass `material({formula!r}, density=...)` in g/cm3."
            )
        density = xraylib.ElementDensity(atomic_number(next(iter(fractions))))
    return Material(fractions, density)


@dataclass(frozen=True)
class Film:
    """A film of a material.

    Parameters
    ----------
    material : Material
    thickness_nm : float
    """

    material: Material
    thickness_nm: float

    def __post_init__(self) -> None:
        _check_positive(thickness_nm=self.thickness_nm)


@dataclass(frozen=True)
class Sphere:
    """A sphere that touches the surface below it.

    Parameters
    ----------
    diameter_nm : float
    """

    diameter_nm: float

    def __post_init__(self) -> None:
        _check_positive(diameter_nm=self.diameter_nm)

    @property
    def height_nm(self) -> float:
        """Extent above the surface."""
        return self.diameter_nm


@dataclass(frozen=True)
class Box:
    """A rectangular block that lies on the surface.

    Parameters
    ----------
    width_nm, length_nm : float
        Extents along x, the direction towards which the beam is tilted, and y.
    height_nm : float
    """

    width_nm: float
    length_nm: float
    height_nm: float

    def __post_init__(self) -> None:
        _check_positive(
            width_nm=self.width_nm, length_nm=self.length_nm, height_nm=self.height_nm
        )


@dataclass(frozen=True)
class Particle:
    """A particle that lies on a surface, centred on the origin.

    Parameters
    ----------
    shape : Sphere or Box
    material : Material
    """

    shape: Sphere | Box
    material: Material


@dataclass(frozen=True)
class Target:
    """What the beam hits. `bulk`, `films` and `particle_on_substrate` make one.

    Parameters
    ----------
    films : tuple of Film
        From the surface downwards; may be empty.
    substrate : Material or None
        What fills the half-space below the films; None is vacuum.
    particle : Particle or None
        What lies on the surface.

    Raises
    ------
    ValueError
        If there is neither a film nor a substrate.
    """

    films: tuple[Film, ...] = ()
    substrate: Material | None = None
    particle: Particle | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "films", tuple(self.films))
        if not self.films and self.substrate is None:
            raise ValueError(
                "a target needs `films` or a `substrate`; both are missing."
            )

    @property
    def regions(self) -> tuple[str, ...]:
        """Names of the parts: "film 1" and so on, "substrate", "particle"."""
        names = [f"film {i + 1}" for i in range(len(self.films))]
        names += ["substrate"] if self.substrate is not None else []
        return tuple(names + (["particle"] if self.particle is not None else []))

    @property
    def materials(self) -> tuple[Material, ...]:
        """Material of each of the `regions`."""
        parts = [film.material for film in self.films]
        parts += [self.substrate] if self.substrate is not None else []
        return tuple(parts + ([self.particle.material] if self.particle else []))

    @property
    def interfaces_nm(self) -> np.ndarray:
        """Depths of the layers' boundaries, from 0; the last may be infinite."""
        depths = np.cumsum([0.0] + [film.thickness_nm for film in self.films])
        return np.append(depths, np.inf) if self.substrate is not None else depths


def bulk(of: Material) -> Target:
    """A flat bulk.

    Parameters
    ----------
    of : Material

    Returns
    -------
    Target

    Examples
    --------
    >>> bulk(material("Cu")).regions
    ('substrate',)
    """
    return Target(substrate=of)


def films(layers: Sequence[Film], substrate: Material | None = None) -> Target:
    """Films on a substrate, or free-standing.

    Parameters
    ----------
    layers : sequence of Film
        From the surface downwards.
    substrate : Material, optional
        Without one the films stand free.

    Returns
    -------
    Target
    """
    return Target(tuple(layers), substrate)


def particle_on_substrate(
    shape: Sphere | Box, of: Material, substrate: Material
) -> Target:
    """A particle that lies on a bulk.

    Parameters
    ----------
    shape : Sphere or Box
    of : Material
        The particle's.
    substrate : Material

    Returns
    -------
    Target
    """
    return Target((), substrate, Particle(shape, of))


def _check_positive(**values: float) -> None:
    for name, value in values.items():
        if not (np.isfinite(value) and value > 0):
            raise ValueError(f"`{name}` is {value}; it must be above zero and finite.")
