# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a dynamic sampling ends that was asked for a distortion.

    python benchmarks/sampling_stopping.py
    python benchmarks/sampling_stopping.py --leave-out        # trains four models anew
    python benchmarks/sampling_stopping.py --scenes           # of hspy_ml.simulation

Prints the true distortion at the end over the one asked for, of the package's estimate
and of the published rule (smoothed rate of surprises below a threshold, which is tuned
here on images of another kind), and how often the interval of 90 % holds the truth.
With `--leave-out` the model that judges images of a kind has seen none of that kind.
"""

from __future__ import annotations

import argparse

import numpy as np

from hspy_ml.sampling.distortion import DistortionEstimator
from hspy_ml.sampling.distortion_default import measuring_order, train_default
from hspy_ml.sampling.label_images import (
    KINDS,
    boundary_density,
    draw_label_image_of_density,
)
from hspy_ml.sampling.regressor import default_regressor
from hspy_ml.simulation.scene_kinds import draw_abundances

FIRST_SEED = 80_000  # apart from those of training
TUNED_ON = "fields"
STEP = 0.002  # share of the pixels between two looks
SIZES = (128, 256)
SCENES = {
    "lamellae": {"period": 18.0},
    "voronoi": {},
    "grains": {},
    "precipitates": {},
}


class SurpriseRate:
    """The published rule: the rate of surprises, smoothed exponentially.

    G. M. Godaliyadda et al., IEEE Trans. Comput. Imaging 4 (2018) 1, section V.
    """

    def __init__(self, n_pixels: int) -> None:
        octaves = np.log2(512**2 / n_pixels) / 2
        self.beta = 1e-3 * (octaves + 1 if octaves >= 0 else 1 / (1 - 2 * octaves))
        self.rate = 1.0

    def add(self, surprises: list[bool]) -> None:
        """Take in what was measured."""
        for surprise in surprises:
            self.rate += self.beta * (surprise - self.rate)


def trace(truth, seed, model, most):
    """Share measured, truth, estimate, interval and rate of surprises, in steps."""
    order = measuring_order(truth, default_regressor(), int(most * truth.size), seed)
    estimator, rate = DistortionEstimator(truth.shape, model), SurpriseRate(truth.size)
    rows, step = [], max(round(STEP * truth.size), 8)
    for start in range(0, len(order), step):
        part = order[start : start + step]
        seen = len(estimator._surprises)
        estimator.update(part, truth[tuple(part.T)])
        rate.add(estimator._surprises[seen:])
        if estimator.n_measured >= 0.01 * truth.size:
            wrong = (estimator.reconstruction != truth).mean()
            low, high = estimator.interval()
            share = estimator.n_measured / truth.size
            rows.append((share, wrong, estimator.distortion, low, high, rate.rate))
    return np.array(rows)


def draw_truth(kind, size, density, n_phases, seed, from_scenes):
    """An image of labels, of the sampling's generators or of the simulated scenes."""
    if not from_scenes:
        shape = (size, size)
        return draw_label_image_of_density(kind, shape, n_phases, density, seed)
    maps = draw_abundances(kind, (size, size), n_phases, seed, SCENES[kind])
    return (1 + maps.argmax(axis=2)).astype(np.int16)


def traces_of(kind, model, options, first_seed=FIRST_SEED):
    """One for each seed; sizes and numbers of phases in turn."""
    found = []
    for n in range(options.seeds):
        size, n_phases = options.sizes[n % len(options.sizes)], 2 + (n // 2) % 3
        seed = first_seed + n
        truth = draw_truth(kind, size, options.density, n_phases, seed, options.scenes)
        most = min(1.7 * boundary_density(truth) + 0.02, 0.5)
        found.append(trace(truth, seed, model, most))
    return found


def at_stop(rows, column, threshold):
    """The row at which a column falls below a threshold, or None."""
    below = np.flatnonzero(rows[:, column] <= threshold)
    return rows[below[0]] if below.size else None


def thresholds_of(traces, targets):
    """Rates of surprises at which images of another kind have the target."""
    stops = {t: [at_stop(rows, 1, t) for rows in traces] for t in targets}
    return {
        target: np.median([stop[5] for stop in found if stop is not None])
        for target, found in stops.items()
    }


def summary(traces, column, thresholds, targets):
    """Cells: distortion at the end over the target, its median, quartiles, range."""
    cells = []
    for target in targets:
        stops = [at_stop(rows, column, thresholds[target]) for rows in traces]
        ratios = np.array([stop[1] / target for stop in stops if stop is not None])
        if not ratios.size:
            cells.append("never")
            continue
        least, low, middle, high, most = np.quantile(ratios, [0, 0.25, 0.5, 0.75, 1])
        cells.append(f"{middle:.2f} ({low:.2f}-{high:.2f}; {least:.2f}-{most:.2f})")
    return cells


def coverage(traces, least=0.002):
    """How often the interval of 90 % holds the truth, while it is above `least`."""
    rows = np.concatenate(traces)
    rows = rows[rows[:, 1] >= least]
    return ((rows[:, 3] <= rows[:, 1]) & (rows[:, 1] <= rows[:, 4])).mean()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--kinds", nargs="*")
    add("--targets", nargs="*", type=float, default=[0.02, 0.01, 0.005, 0.002])
    add("--sizes", nargs="*", type=int, default=list(SIZES))
    add("--density", type=float, default=0.085, help="boundaries per pixel")
    add("--seeds", type=int, default=6)
    add("--leave-out", action="store_true")
    add("--scenes", action="store_true")
    options = parser.parse_args()
    kinds = options.kinds or (
        list(SCENES)
        if options.scenes
        else ["lamellae", "powder", "grains", "precipitates"]
    )
    tuning = argparse.Namespace(**{**vars(options), "scenes": False})
    tuned = traces_of(TUNED_ON, None, tuning, FIRST_SEED + 1000)
    rates = thresholds_of(tuned, options.targets)
    wanted = {target: target for target in options.targets}
    print("true distortion over target: median (quartiles; range)\n")
    print(f"| kind | rule | {' | '.join(map(str, options.targets))} | interval |")
    print(f"|{' --- |' * (3 + len(options.targets))}")
    for kind in kinds:
        model = None
        if options.leave_out:
            model = train_default(tuple(k for k in KINDS if k != kind))
        traces = traces_of(kind, model, options)
        ours = summary(traces, 2, wanted, options.targets)
        published = summary(traces, 5, rates, options.targets)
        print(f"| {kind} | estimate | {' | '.join(ours)} | {coverage(traces):.0%} |")
        print(f"| {kind} | published | {' | '.join(published)} | |", flush=True)


if __name__ == "__main__":
    main()
