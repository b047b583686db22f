# SPDX-License-Identifier: GPL-3.0-or-later
"""Compositions of the pixels of an image by a trained model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from ..counts import Counts
from ..counts.channel_sums import dense_blocks
from ..physics.composition import atomic_weight
from ..physics.fractions import fraction_errors, fractions
from .image_prior import KnownTotal, moments_of_image, moments_of_neighbours
from .network_reading import Readings, goodness, posterior_of, read_spectra
from .quantifier_model import QuantifierModel

__all__ = [
    "FLAGGED",
    "PRIORS",
    "NetworkQuantification",
    "flagged",
    "quantify_by_network",
]

#: Probability below which a spectrum is not one that the named elements give.
FLAGGED = 0.01
PRIORS = ("neighbours", "image", "anything")
FEWEST_PIXELS_OF_AN_IMAGE = 16
WEIGHTLESS = float(norm.isf(1e-3))  # surprise beyond which a pixel tells of no other


@dataclass(frozen=True, eq=False)
class NetworkQuantification:
    """What a model says of the pixels of an image.

    Parameters
    ----------
    elements : tuple of str
    atomic_fractions, deviations : ndarray, shape (n_pixels, n_elements)
        Posterior means, which sum to one, and standard deviations.
    readings : Readings
        Of each spectrum by itself.
    goodness : ndarray, shape (n_pixels,)
        How far each spectrum is from one of the named elements, in standard deviations
        of a normal variable.
    """

    elements: tuple[str, ...]
    atomic_fractions: np.ndarray
    deviations: np.ndarray
    readings: Readings
    goodness: np.ndarray

    def in_units(self, composition_units: str) -> tuple[np.ndarray, np.ndarray]:
        """Fractions and their errors by atoms or by weight.

        Parameters
        ----------
        composition_units : {"atomic", "weight"}

        Returns
        -------
        fractions, errors : ndarray, shape (n_pixels, n_elements)
        """
        if composition_units == "atomic":
            return self.atomic_fractions, self.deviations
        masses = np.array([atomic_weight(element) for element in self.elements])
        covariance = closed_covariance(self.deviations)
        errors = fraction_errors(self.atomic_fractions, covariance, masses)
        return fractions(self.atomic_fractions, masses), errors


def quantify_by_network(
    model: QuantifierModel,
    counts: Counts,
    channels: np.ndarray,
    shape: tuple[int, ...],
    there: np.ndarray,
    *,
    prior: str = "neighbours",
    num_workers: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> NetworkQuantification:
    """Read the spectra of an image and weigh each against the image.

    Parameters
    ----------
    model : QuantifierModel
    counts : SparseCounts or DenseCounts
        Of the pixels that are there.
    channels : ndarray of int
        Which channels of the axis they are of.
    shape : tuple of int
        Of the image.
    there : ndarray of bool, shape (prod(shape),)
        Pixels that the counts are of.
    prior : {"neighbours", "image", "anything"}, default "neighbours"
        What is known of a pixel beside its counts: the compositions around it, those
        of the whole image, or nothing. An image of less than 16 pixels tells nothing.
    num_workers : int, optional
        Threads; all cores by default. The result does not depend on it.
    progress : callable, optional
        Is given the number of pixels just done.

    Returns
    -------
    NetworkQuantification

    Notes
    -----
    What pixels have in common, such as an instrument that differs from its
    description, does not average out among neighbours: where the image is taken into
    account, the errors that no number of counts would mend are added to the bars.
    """
    network, bins = model.network, model.conditions.bins
    blocks = dense_blocks(counts, bins.bin_of_channel[channels], bins.n_bins)
    readings = read_spectra(network, blocks, num_workers, progress)
    surprise = goodness(network, readings)
    weight = ((readings.counts > 0) & (surprise < WEIGHTLESS)).astype(np.float64)
    posterior = posterior_of(network, readings.seen, num_workers)
    moments = network.anything.numpy().astype(np.float64)
    if prior != "anything" and weight.sum() >= FEWEST_PIXELS_OF_AN_IMAGE:
        known = _known_total(model, counts, channels, _atoms(model, readings) * weight)
        moments = moments_of_image(posterior, moments, weight, known)
        if prior == "neighbours":
            moments = moments_of_neighbours(
                posterior, moments, shape, there, weight, known
            )
        shared = network.shared_deviation.numpy().astype(np.float64)
    else:
        shared = np.zeros(len(model.elements))
    whole = np.broadcast_to(moments, (counts.n_pixels, moments.shape[-1]))
    mean, deviation = posterior(whole)
    deviation = np.hypot(deviation, shared)
    return NetworkQuantification(model.elements, mean, deviation, readings, surprise)


def _known_total(
    model: QuantifierModel, counts: Counts, channels: np.ndarray, amounts: np.ndarray
) -> KnownTotal | None:
    """What the sum of spectra tells, where all share a background that is not known.

    Core losses lie on a background of several times their counts, the exponent of
    which is nearly the same all over an image. The sum is read as the brightest
    spectrum that the network was trained for.
    """
    if model.conditions.technique != "EELS":
        return None
    bins, network = model.conditions.bins, model.network
    total, first = np.zeros((1, bins.n_bins)), 0
    for block in dense_blocks(counts, bins.bin_of_channel[channels], bins.n_bins):
        used = amounts[first : first + block.shape[0]] > 0
        total[0] += block[used].sum(axis=0)
        first += block.shape[0]
    total *= min(1.0, model.conditions.counts[1] / total.sum())
    seen = read_spectra(network, [total], num_workers=1).seen
    anything = network.anything.numpy().astype(np.float64)[None]
    return KnownTotal(posterior_of(network, seen)(anything)[0][0], amounts)


def _atoms(model: QuantifierModel, readings: Readings) -> np.ndarray:
    """Atoms of all elements in each pixel, up to a factor."""
    shares = readings.shares[:, list(model.conditions.measuring)]
    return readings.counts * (shares @ model.network.atoms_per_count.numpy())


def flagged(goodness: np.ndarray) -> np.ndarray:
    """Whether spectra show more than the named elements give.

    Parameters
    ----------
    goodness : ndarray
        In standard deviations of a normal variable; NaN is not flagged.

    Returns
    -------
    ndarray of bool
    """
    return goodness > norm.isf(FLAGGED)


def closed_covariance(deviations: np.ndarray, n_iterations: int = 20) -> np.ndarray:
    r"""Covariance of fractions that sum to one, from their standard deviations.

    Independent amounts of the variances `v`, less their sum:
    :math:`C = \mathrm{diag}(v) - v v^T / \sum v`, with `v` such that the variances are
    those given. Where no fractions can have these, at least their sum is the same.

    Parameters
    ----------
    deviations : ndarray, shape (n_pixels, n_elements)
    n_iterations : int, default 20

    Returns
    -------
    ndarray, shape (n_pixels, n_elements, n_elements)
    """
    wanted = deviations**2
    free = wanted.copy()
    for _ in range(n_iterations):
        total = np.maximum(free.sum(axis=1, keepdims=True), 1e-300)
        reached = free * (1 - free / total)
        free = free * np.sqrt(wanted / np.maximum(reached, 1e-300)).clip(0.5, 2.0)
    total = np.maximum(free.sum(axis=1), 1e-300)[:, None, None]
    covariance = -free[:, :, None] * free[:, None, :] / total
    own = np.arange(free.shape[1])
    covariance[:, own, own] = 0
    covariance[:, own, own] = -covariance.sum(axis=2)
    reached = np.maximum(covariance[:, own, own].sum(axis=1), 1e-300)
    return covariance * (wanted.sum(axis=1) / reached)[:, None, None]
