# SPDX-License-Identifier: GPL-3.0-or-later
"""A network before its training: weights from the physics, the rest at random."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..physics.fractions import fraction_errors
from ..simulation.unnamed_elements import ANYTHING_ELSE

if TYPE_CHECKING:
    import torch

    from ..networks.quantifier import QuantifierNetwork
    from ..simulation.spectrum_bank import SpectrumBank

__all__ = ["network_for_bank", "variance_of_a_count"]

MIXED_IN = 0.3  # of the mean of all specimens in a reference, so that none is empty
FLOOR = 1e-3  # of a reference's mean channel
N_SPECIMENS = 200
LEAST_VARIANCE = 1e-4
LEAST_PRIOR_VARIANCE = 1e-8  # of what cannot vary: a single element, an oxide's oxygen


def network_for_bank(
    bank: SpectrumBank, templates: np.ndarray, random_state: int = 0
) -> QuantifierNetwork:
    """Build the network for the spectra of a bank.

    Parameters
    ----------
    bank : SpectrumBank
    templates : ndarray, shape (n_templates, n_bins)
        Spectra of what else could be there, each of which sums to one.
    random_state : int, default 0
        Makes it repeat exactly.

    Returns
    -------
    QuantifierNetwork
    """
    import torch

    from ..networks.quantifier import QuantifierNetwork

    rng = np.random.default_rng(random_state)
    n_elements, n_free = bank.transfer.shape
    with torch.random.fork_rng(devices=[]):
        torch.random.default_generator.manual_seed(random_state)
        network = QuantifierNetwork(
            bank.n_bins,
            bank.intensities.shape[1],
            n_elements,
            n_free,
            len(bank.unnamed),
            templates.shape[0],
        )
    n_references = network.hyperparameters["n_references"]
    chosen = rng.integers(bank.intensities.shape[0], size=n_references)
    mean = bank.intensities.mean(axis=0)
    references = (1 - MIXED_IN) * bank.intensities[chosen] + MIXED_IN * mean
    shapes = _known_shapes(bank.shapes[0].astype(np.float64), bank)
    with torch.no_grad():
        network.scores.weight.copy_(_as_tensor(_scores(shapes, references)))
        network.scores.bias.zero_()
        network.shapes.copy_(_as_tensor(shapes))
        network.templates.copy_(_as_tensor(templates))
        network.anything.copy_(_as_tensor(bank.moments_of_anything))
        network.transfer.copy_(_as_tensor(bank.transfer))
        network.measuring.copy_(torch.tensor(bank.measuring))
        network.atoms_per_count.copy_(_as_tensor(_mean_atoms_per_count(bank)))
        prior = np.maximum(bank.atomic_fractions.var(axis=0), LEAST_PRIOR_VARIANCE)
        network.prior_variance.copy_(_as_tensor(prior))
        network.variance_of_a_count.copy_(_as_tensor(variance_of_a_count(bank, rng)))
    return network


def variance_of_a_count(bank: SpectrumBank, rng: np.random.Generator) -> np.ndarray:
    r"""Counts times variance of the atomic fractions, by the Cramer-Rao bound.

    All columns are free, and the amounts are proportional to the intensities of the
    columns that measure; for a bulk that is an estimate. An element that no line
    measures gets the largest variance of the others.

    Parameters
    ----------
    bank : SpectrumBank
    rng : numpy.random.Generator

    Returns
    -------
    ndarray, shape (n_elements,)
        Median over specimens.
    """
    chosen = rng.integers(bank.intensities.shape[0], size=N_SPECIMENS)
    shares = bank.intensities[chosen]
    free = _free_elements(bank)
    atoms = bank.atomic_fractions[chosen][:, free]
    amounts = shares[:, bank.measuring]
    factors = _atoms_per_count(atoms, amounts)
    shapes = bank.shapes[0].astype(np.float64)
    covariance = _covariances(shares, _known_shapes(shapes, bank))
    measured = covariance[:, bank.measuring][:, :, bank.measuring]
    errors = fraction_errors(np.maximum(amounts, 1e-9), measured, factors)
    variance = np.nanmedian(errors**2, axis=0)
    whole = np.full(bank.transfer.shape[0], variance.max())
    whole[free] = variance
    return np.maximum(whole, LEAST_VARIANCE)


def _known_shapes(shapes: np.ndarray, bank: SpectrumBank) -> np.ndarray:
    """Without that of anything else, which is another one in each spectrum."""
    known = shapes.copy()
    if ANYTHING_ELSE in bank.unnamed:
        first = shapes.shape[0] - len(bank.unnamed)
        known[first + bank.unnamed.index(ANYTHING_ELSE)] = 0
    return known


def _mean_atoms_per_count(bank: SpectrumBank) -> np.ndarray:
    free = _free_elements(bank)
    amounts = bank.intensities[:, bank.measuring]
    return _atoms_per_count(bank.atomic_fractions[:, free], amounts)


def _free_elements(bank: SpectrumBank) -> list[int]:
    """Places of the elements that vary freely."""
    return [bank.elements.index(bank.columns[k].element) for k in bank.measuring]


def _atoms_per_count(atoms: np.ndarray, amounts: np.ndarray) -> np.ndarray:
    """Sensitivities of the columns that measure, shape (n_measuring,)."""
    there = (atoms > 0.01) & (amounts > 0)
    ratio = np.where(there, atoms / np.maximum(amounts, 1e-9), np.nan)
    factors = np.nanmedian(ratio, axis=0)
    return np.nan_to_num(factors / np.nanmean(factors), nan=1.0)


def _covariances(shares: np.ndarray, shapes: np.ndarray) -> np.ndarray:
    """Of the shares of all columns for one count, shape (n, n_columns, n_columns)."""
    mean = shares @ shapes
    inverse = np.where(mean > 0, 1 / np.maximum(mean, 1e-30), 0.0)
    information = np.einsum("kc,nc,lc->nkl", shapes, inverse, shapes, optimize=True)
    return np.linalg.pinv(information, hermitian=True)


def _scores(shapes: np.ndarray, references: np.ndarray) -> np.ndarray:
    """Scores of all columns at all references, each of unit variance a count."""
    mean = references @ shapes
    mean = mean + FLOOR * mean.mean(axis=1, keepdims=True)
    scores = np.where(shapes.sum(axis=0) > 0, shapes / mean[:, None, :], 0.0)
    variance = np.einsum("rkc,rc->rk", scores**2, mean)
    return (scores / np.sqrt(np.maximum(variance, 1e-30))[..., None]).reshape(
        -1, shapes.shape[1]
    )


def _as_tensor(array: np.ndarray) -> torch.Tensor:
    import torch

    return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))
