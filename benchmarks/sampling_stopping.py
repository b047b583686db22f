# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a dynamic sampling ends that was asked for a distortion.

    python benchmarks/sampling_stopping.py
    python benchmarks/sampling_stopping.py --scenes           # of hspy_ml.simulation
    python benchmarks/sampling_stopping.py --speed 1024

Prints the true distortion at the end over the one asked for, of the package's estimate
and of the published rule (smoothed rate of surprises below a threshold, which is tuned
here on images of another kind), how many runs end within 30 %, and how often intervals
hold the truth. With `--speed`, what the estimate costs on a large map.
"""

from __future__ import annotations

import argparse
import time
from typing import NamedTuple

import numpy as np

from hspy_ml.sampling.distortion import DistortionEstimator
from hspy_ml.sampling.distortion_default import measuring_order
from hspy_ml.sampling.label_images import (
    boundary_density,
    draw_label_image_of_density,
)
from hspy_ml.sampling.regressor import default_regressor
from hspy_ml.sampling.stopping import StoppingRule
from hspy_ml.simulation.scene_kinds import draw_abundances

FIRST_SEED = 80_000  # apart from those of training
TUNED_ON = "fields"
STEP = 0.0004  # share of the pixels that is measured at once
LOOK = 0.005  # share of the pixels between two looks at the intervals
LEVELS = (0.68, 0.9)
LEAST = 0.002  # distortion above which intervals are judged
NEAR = (0.7, 1.3)
KINDS = ("lamellae", "powder", "grains", "precipitates")
SCENES = {"lamellae": {"period": 18.0}, "voronoi": {}}


class SurpriseRate:
    """The published rule: the rate of surprises, smoothed exponentially.

    G. M. Godaliyadda et al., IEEE Trans. Comput. Imaging 4 (2018) 1, section V.
    """

    def __init__(self, n_pixels: int) -> None:
        octaves = np.log2(512**2 / n_pixels) / 2
        self.beta = 1e-3 * (octaves + 1 if octaves >= 0 else 1 / (1 - 2 * octaves))
        self.rate = 1.0

    def add(self, surprises: np.ndarray) -> None:
        """Take in what was measured."""
        for surprise in surprises:
            self.rate += self.beta * (surprise - self.rate)


class Run(NamedTuple):
    """Of one image: (distortion, rate of surprises) in steps; at the end of ours."""

    steps: np.ndarray
    at_end: dict[float, float]
    held: np.ndarray  # (n_looks, n_levels), whether the interval has the truth


def run_on(truth: np.ndarray, seed: int, targets: list[float]) -> Run:
    """Measure until all targets are reached, by the estimate and in truth."""
    most = min(1.9 * boundary_density(truth) + 0.02, 0.5)
    order = measuring_order(truth, default_regressor(), int(most * truth.size), seed)
    estimator, rate = DistortionEstimator(truth.shape), SurpriseRate(truth.size)
    rules = {target: StoppingRule(target) for target in targets}
    steps, at_end, held, next_look = [], {}, [], 0.011
    step = max(round(STEP * truth.size), 4)
    for start in range(0, len(order), step):
        part = order[start : start + step]
        before = estimator.reconstruction[tuple(part.T)] if start else None
        labels = truth[tuple(part.T)]
        estimator.update(part, labels)
        if estimator.n_measured < 0.01 * truth.size:
            continue
        rate.add(before != labels)
        wrong = (estimator.reconstruction != truth).mean()
        steps.append((wrong, rate.rate))
        for target, rule in rules.items():
            if target not in at_end and rule.reached(estimator):
                at_end[target] = wrong
        if estimator.n_measured > next_look * truth.size and wrong >= LEAST:
            ranges = [estimator.interval(level) for level in LEVELS]
            held.append([low <= wrong <= high for low, high in ranges])
            next_look = estimator.n_measured / truth.size + LOOK
        if len(at_end) == len(targets) and wrong < 0.2 * min(targets):
            break
    return Run(np.array(steps), at_end, np.reshape(held, (-1, len(LEVELS))))


def draw_truth(kind, size, density, n_phases, seed, from_scenes):
    """An image of labels, of the sampling's generators or of the simulated scenes."""
    if not from_scenes:
        shape = (size, size)
        return draw_label_image_of_density(kind, shape, n_phases, density, seed)
    maps = draw_abundances(kind, (size, size), n_phases, seed, SCENES[kind])
    return (1 + maps.argmax(axis=2)).astype(np.int16)


def runs_of(kind, size, options, first_seed=FIRST_SEED, from_scenes=False):
    """One for each seed, of two to four phases in turn."""
    runs = []
    for seed in range(first_seed, first_seed + options.seeds):
        n_phases = 2 + seed % 3
        truth = draw_truth(kind, size, options.density, n_phases, seed, from_scenes)
        runs.append(run_on(truth, seed, options.targets))
    return runs


def published_ends(run, rates):
    """Distortion where the rate of surprises falls below those of the targets."""
    ends = {}
    for target, threshold in rates.items():
        below = np.flatnonzero(run.steps[:, 1] <= threshold)
        if below.size:
            ends[target] = run.steps[below[0], 0]
    return ends


def rates_of(runs, targets):
    """Median rate of surprises when the distortion is at the targets."""
    rates = {}
    for target in targets:
        firsts = [np.flatnonzero(run.steps[:, 0] <= target)[:1] for run in runs]
        found = [run.steps[i[0], 1] for run, i in zip(runs, firsts, strict=True) if i]
        rates[target] = np.median(found)
    return rates


def cells(ends, targets):
    """For each target, median and range of truth over target, and how many near."""
    found = []
    for target in targets:
        ratios = np.array([end[target] / target for end in ends if target in end])
        if not ratios.size:
            found.append("never")
            continue
        near = np.mean((ratios > NEAR[0]) & (ratios < NEAR[1]))
        least, middle, most = np.quantile(ratios, [0, 0.5, 1])
        found.append(f"{middle:.2f} ({least:.2f}-{most:.2f}) {near:.0%}")
    return found


def time_updates(size: int) -> None:
    """Seconds of the estimate on a map of few boundaries."""
    truth = draw_label_image_of_density("powder", (size, size), 4, 0.03, 1)
    order = measuring_order(truth, default_regressor(), truth.size // 20, 1)
    labels = truth[tuple(order.T)]
    first = truth.size // 100
    estimator = DistortionEstimator(truth.shape)
    for start, end in ((0, first), (first, len(order))):
        begun = time.perf_counter()
        estimator.update(order[start:end], labels[start:end])
        spent = time.perf_counter() - begun
        per_point = f"{1e3 * spent / (end - start):.3f} ms"
        print(f"{end} of {truth.size} pixels: {spent:.1f} s, {per_point} a point")
    begun = time.perf_counter()
    found = estimator.distortion
    wrong = (estimator.reconstruction != truth).mean()
    spent = time.perf_counter() - begun
    print(f"a look: {spent:.2f} s; estimate {found:.5f}, truth {wrong:.5f}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--kinds", nargs="*")
    add("--targets", nargs="*", type=float, default=[0.02, 0.01, 0.005])
    add("--sizes", nargs="*", type=int, default=[128, 256])
    add("--density", type=float, default=0.085, help="boundaries per pixel")
    add("--seeds", type=int, default=7)
    add("--first-seed", type=int, default=FIRST_SEED)
    add("--scenes", action="store_true")
    add("--speed", type=int, metavar="SIZE")
    options = parser.parse_args()
    if options.speed:
        time_updates(64)
        time_updates(options.speed)
        return
    print("true distortion over target: median (range), share within 30 %\n")
    targets = options.targets
    print(f"| kind | size | rule | {' | '.join(map(str, targets))} | intervals |")
    print(f"|{' --- |' * (4 + len(targets))}")
    for size in options.sizes:
        first = options.first_seed
        rates = rates_of(runs_of(TUNED_ON, size, options, first + 1000), targets)
        for kind in options.kinds or (SCENES if options.scenes else KINDS):
            runs = runs_of(kind, size, options, first, options.scenes)
            ours = cells([run.at_end for run in runs], targets)
            theirs = cells([published_ends(run, rates) for run in runs], targets)
            held = np.concatenate([run.held for run in runs])
            shares = (
                ", ".join(f"{s:.0%}" for s in held.mean(axis=0)) if len(held) else ""
            )
            print(f"| {kind} | {size} | estimate | {' | '.join(ours)} | {shares} |")
            print(f"| | | published | {' | '.join(theirs)} | |", flush=True)


if __name__ == "__main__":
    main()
