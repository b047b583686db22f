# SPDX-License-Identifier: GPL-3.0-or-later
"""How often the standard errors of the concentrations cover the truth.

    python benchmarks/standard_errors.py --counts 74 --repetitions 20

Every repetition is another scene with other noise. An interval of one standard
error to each side should hold the truth in 68 % of all cases; the aim is 60 to 76 %.
Two estimates are compared: the default, corrected for the bias of few counts, whose
standard errors hold the correction too; and the maximum of the bound that it comes
from, with the scatter that the curvature predicts.
"""

from __future__ import annotations

import argparse
import itertools
import time
from dataclasses import dataclass, replace

import numpy as np

from hspy_ml.counts.building import counts_from_array
from hspy_ml.factorization.factorize import CountedImage, factorize
from hspy_ml.factorization.uncertainty import weights_covariance
from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.detector import make_detector
from hspy_ml.physics.fractions import (
    conversion_factors,
    fraction_errors,
    fractions,
    reference_columns,
)
from hspy_ml.physics.gmatrix import GMatrix, build_g_matrix
from hspy_ml.simulation.images import Scene, draw_counts, scene_of_mean_counts
from hspy_ml.simulation.scenes import grain_abundances
from hspy_ml.simulation.spectra import phase_weights, read_phases

MINERALS = {
    "bridgmanite": "Mg0.82Fe0.08Ca0.02Nd0.03Sm0.02Lu0.03Si0.88Al0.09Hf0.03O3",
    "ferropericlase": "Mg0.78Fe0.20Cu0.02O",
    "Ca-perovskite": "Ca0.88Nd0.07Sm0.05Si0.93Al0.05Hf0.02O3",
}
ENERGY_keV = np.arange(2048) * 0.01
PRESENT = 0.5  # atomic percent
ESTIMATES = ("default", "maximum")


@dataclass(frozen=True, eq=False)
class Repetitions:
    """Atomic percent that were found, and their standard errors.

    Parameters
    ----------
    truth : ndarray, shape (n_phases, n_elements)
        The compositions that were simulated.
    found, errors : dict of str to ndarray, shape (n, n_phases, n_elements)
        For each estimate.
    seconds : ndarray, shape (n, 2)
        Of everything, and of the covariance alone.
    """

    truth: np.ndarray
    found: dict[str, np.ndarray]
    errors: dict[str, np.ndarray]
    seconds: np.ndarray

    def covered(self, estimate: str) -> np.ndarray:
        """Whether an interval holds the truth, shape (n, n_phases, n_elements)."""
        return np.abs(self.found[estimate] - self.truth) <= self.errors[estimate]


def repeat(counts_per_pixel: float, side: int, n_repetitions: int) -> Repetitions:
    """Simulate and recover scenes.

    Parameters
    ----------
    counts_per_pixel : float
        Mean counts of a pixel.
    side : int
        Pixels along each side of the image.
    n_repetitions : int
        Number of scenes.

    Returns
    -------
    Repetitions
    """
    minerals = read_phases(MINERALS)
    acquisition = Acquisition(
        ENERGY_keV, "EDS_TEM", 200.0, 22.0, make_detector("windowless")
    )
    g_matrix = build_g_matrix(acquisition, minerals.elements)
    spectra = (g_matrix.matrix @ phase_weights(minerals, g_matrix, random_state=0)).T
    rows = []
    for seed in range(n_repetitions):
        image = draw_image(spectra, side, counts_per_pixel, seed)
        rows.append(recover(image, g_matrix, minerals.atomic_percent, seed))
    found, errors, seconds = (np.array(part) for part in zip(*rows, strict=True))
    return Repetitions(
        minerals.atomic_percent,
        dict(zip(ESTIMATES, np.swapaxes(found, 0, 1), strict=True)),
        dict(zip(ESTIMATES, np.swapaxes(errors, 0, 1), strict=True)),
        seconds,
    )


def draw_image(
    spectra: np.ndarray, side: int, counts_per_pixel: float, random_state: int
) -> CountedImage:
    """Draw grains and counts.

    Parameters
    ----------
    spectra : ndarray, shape (n_phases, n_channels)
        In any unit.
    side, counts_per_pixel
        As in :func:`repeat`.
    random_state : int
        Makes the image repeat exactly.

    Returns
    -------
    CountedImage
    """
    rng = np.random.default_rng(random_state)
    maps = grain_abundances((side, side), len(spectra), rng)
    scene = Scene(maps, spectra, np.ones((side, side)))
    counts = draw_counts(scene_of_mean_counts(scene, counts_per_pixel), rng)
    flat = counts_from_array(counts.reshape(side**2, -1))
    return CountedImage(flat, (side, side), np.arange(side**2))


def recover(
    image: CountedImage, g_matrix: GMatrix, truth: np.ndarray, random_state: int
) -> tuple[list[np.ndarray], list[np.ndarray], list[float]]:
    """Find compositions and their standard errors, in the order of the truth.

    Parameters
    ----------
    image : CountedImage
        The data.
    g_matrix : GMatrix
        The G-matrix.
    truth : ndarray, shape (n_phases, n_elements)
        Atomic percent.
    random_state : int
        Of the algorithms.

    Returns
    -------
    found, errors : list of ndarray, shape (n_phases, n_elements)
        For each of the estimates.
    seconds : list of float
        Of everything, and of the covariance alone.
    """
    started = time.perf_counter()
    default, phases = factorize(image, g_matrix, len(truth), random_state=random_state)
    fitted = time.perf_counter()
    maximum = replace(phases, column_shares=phases.fit.model.column_shares)
    weights = maximum.column_shares / g_matrix.matrix.sum(axis=0)[:, None]
    covariance = weights_covariance(maximum, weights, g_matrix)
    seconds = [fitted - started, time.perf_counter() - fitted]
    found, errors = zip(
        _atomic_percent(default.weights, default.weights_covariance, g_matrix),
        _atomic_percent(weights, covariance, g_matrix),
        strict=True,
    )
    order = _matching(found[0], truth)
    return [f[order] for f in found], [e[order] for e in errors], seconds


def _atomic_percent(
    weights: np.ndarray, covariance: np.ndarray, g_matrix: GMatrix
) -> tuple[np.ndarray, np.ndarray]:
    columns = list(reference_columns(g_matrix).values())
    factors = conversion_factors(g_matrix.elements, g_matrix.concentration, "atomic")
    amounts = weights[columns].T
    among_elements = covariance[:, columns][:, :, columns]
    return (
        100 * fractions(amounts, factors),
        100 * fraction_errors(amounts, among_elements, factors),
    )


def _matching(found: np.ndarray, truth: np.ndarray) -> list[int]:
    orders = itertools.permutations(range(len(truth)))
    return min(map(list, orders), key=lambda order: np.abs(found[order] - truth).sum())


def table(result: Repetitions) -> str:
    """Coverage overall, in each phase, and of elements that are absent.

    Parameters
    ----------
    result : Repetitions

    Returns
    -------
    str
        Lines of a table, in percent and atomic percent.
    """
    present, absent = result.truth > PRESENT, result.truth == 0
    names = [name[:14] for name in MINERALS]
    lines = [
        "| estimate | covered | "
        + " | ".join(names)
        + " | absent | mean error, at.% |",
        "|---" * (len(names) + 4) + "|",
    ]
    for estimate in ESTIMATES:
        covered = result.covered(estimate)
        deviation = np.abs(result.found[estimate] - result.truth).mean()
        groups = [present, *(present & _only(k, present) for k in range(len(names)))]
        cells = [f"{100 * covered[:, group].mean():.0f}" for group in [*groups, absent]]
        lines.append(f"| {estimate} | {' | '.join(cells)} | {deviation:.3f} |")
    return "\n".join(lines)


def _only(phase: int, mask: np.ndarray) -> np.ndarray:
    return np.arange(len(mask))[:, None] == np.full(mask.shape[1], phase)


def biases(result: Repetitions) -> str:
    """Mean deviation, scatter and mean standard error of the default.

    Parameters
    ----------
    result : Repetitions

    Returns
    -------
    str
        Three lines for each phase, atomic percent.
    """
    elements = read_phases(MINERALS).elements
    deviation = result.found["default"] - result.truth
    mean_square = (result.errors["default"] ** 2).mean(axis=0)
    lines = [f"{'':34}" + "".join(f"{element:>7}" for element in elements)]
    for k, name in enumerate(MINERALS):
        for what, values in (
            ("truth", result.truth[k]),
            ("mean deviation", deviation[:, k].mean(axis=0)),
            ("scatter", deviation[:, k].std(axis=0)),
            ("standard error", np.sqrt(mean_square[k])),
        ):
            numbers = "".join(f"{value:7.2f}" for value in values)
            lines.append(f"{name:16}{what:18}{numbers}")
    return "\n".join(lines)


def main() -> None:
    """Print the tables that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--counts", type=float, nargs="+", default=[74.0, 293.0])
    parser.add_argument("--side", type=int, default=96, help="pixels along each side")
    parser.add_argument("--repetitions", type=int, default=100)
    options = parser.parse_args()
    for counts in options.counts:
        result = repeat(counts, options.side, options.repetitions)
        print(f"\n{counts:g} counts per pixel, {len(result.seconds)} repetitions\n")
        print(table(result), biases(result), sep="\n\n")
        seconds = np.median(result.seconds, axis=0)
        steps = zip(("everything", "covariance"), seconds, strict=True)
        print("\nseconds:", ", ".join(f"{step} {s:.1f}" for step, s in steps))


if __name__ == "__main__":
    main()
