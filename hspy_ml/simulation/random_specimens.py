# SPDX-License-Identifier: GPL-3.0-or-later
"""Random compositions: mixtures, missing elements and stoichiometric compounds."""

from __future__ import annotations

import numpy as np

__all__ = ["draw_atomic_fractions"]

SHARES_OF_KINDS = (0.4, 0.3, 0.3)  # of subsets, mixtures of all, compounds
CONCENTRATIONS = (0.2, 5.0)  # of the Dirichlet distribution of all elements
MOST_COMPOUNDS = 3
MOST_ELEMENTS_OF_A_COMPOUND = 3
MOST_ATOMS_IN_A_FORMULA = 4  # of one element


def draw_atomic_fractions(
    n_specimens: int,
    n_elements: int,
    random_state: int | np.random.Generator | None = None,
) -> np.ndarray:
    """Draw compositions of every kind that a specimen of these elements could have.

    Four in ten are uniform on the simplex of some of the elements, the others being
    absent; three in ten hold all of them, evenly or with one that dominates; three in
    ten are one to three stoichiometric compounds of up to three elements, mixed.

    Parameters
    ----------
    n_specimens : int
    n_elements : int
    random_state : int or numpy.random.Generator, optional
        Makes the draw repeat exactly.

    Returns
    -------
    ndarray, shape (n_specimens, n_elements)
        Atomic fractions; each row sums to one.

    Raises
    ------
    ValueError
        If a number is below one.
    """
    if min(n_specimens, n_elements) < 1:
        raise ValueError(
            f"`n_specimens` is {n_specimens}, `n_elements` {n_elements}; both must be "
            "1 or more."
        )
    rng = np.random.default_rng(random_state)
    kind = rng.choice(3, size=n_specimens, p=SHARES_OF_KINDS)
    fractions = np.empty((n_specimens, n_elements))
    for index, draw in enumerate((_subsets, _mixtures, _compounds)):
        chosen = kind == index
        fractions[chosen] = draw(int(chosen.sum()), n_elements, rng)
    return fractions


def _subsets(n: int, n_elements: int, rng: np.random.Generator) -> np.ndarray:
    """Uniform on the simplex of a random number of random elements."""
    size = rng.integers(1, n_elements + 1, size=n)
    amounts = rng.standard_exponential((n, n_elements))
    return _normalised(amounts * _members(size, n_elements, rng))


def _mixtures(n: int, n_elements: int, rng: np.random.Generator) -> np.ndarray:
    """Dirichlet, from one element that dominates to even shares."""
    low, high = np.log(CONCENTRATIONS)
    concentration = np.exp(rng.uniform(low, high, size=(n, 1)))
    amounts = rng.gamma(np.broadcast_to(concentration, (n, n_elements)))
    return _normalised(np.maximum(amounts, 1e-12))


def _compounds(n: int, n_elements: int, rng: np.random.Generator) -> np.ndarray:
    """Mixtures of a few compounds with small whole numbers of atoms."""
    n_compounds = min(MOST_COMPOUNDS, n_elements)
    shape = (n, n_compounds)
    most = min(MOST_ELEMENTS_OF_A_COMPOUND, n_elements)
    size = rng.integers(1, most + 1, size=shape)
    members = _members(size.ravel(), n_elements, rng).reshape(*shape, n_elements)
    atoms = rng.integers(1, MOST_ATOMS_IN_A_FORMULA + 1, size=members.shape)
    present = _members(rng.integers(1, n_compounds + 1, size=n), n_compounds, rng)
    share = _normalised(rng.standard_exponential(shape) * present)
    return np.einsum("nc,nce->ne", share, _normalised(members * atoms))


def _members(size: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """For each size, a random choice of that many among n; bool."""
    rank = rng.random((size.size, n)).argsort(axis=1).argsort(axis=1)
    return rank < size[:, None]


def _normalised(amounts: np.ndarray) -> np.ndarray:
    return amounts / amounts.sum(axis=-1, keepdims=True)
