# SPDX-License-Identifier: GPL-3.0-or-later
"""Which rule makes the best map of labels from sparse measurements.

    python benchmarks/sampling_reconstruction.py
    python benchmarks/sampling_reconstruction.py --size 1024 --density 0.0225 \
        --share 0.05 --phases 2 --kinds lamellae --seeds 1

Prints the share of wrong pixels (1e-4), mean over the seeds, after dynamic sampling
with the package's regressor and after static patterns of as many points, and the time
of each rule. Rules: the paper's weighted mode (d^-2 over the ten nearest), the nearest
measurement, linear interpolation of the indicators between the triangles of Delaunay,
local thin-plate splines of the indicators, and kriging.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from scipy.interpolate import LinearNDInterpolator, RBFInterpolator
from scipy.spatial import cKDTree

from hspy_ml.sampling.choice import Chooser
from hspy_ml.sampling.label_images import KINDS, draw_label_image_of_density
from hspy_ml.sampling.patterns import (
    grid_pattern,
    low_discrepancy_pattern,
    random_pattern,
)
from hspy_ml.sampling.reconstruction import labels_on_map, reconstruct
from hspy_ml.sampling.regressor import default_regressor

FIRST_SEED = 70_000  # apart from those of training


def weighted_mode(shape, positions, labels, power=2.0, n_neighbours=10):
    """The paper's rule."""
    distances, nearest = cKDTree(positions).query(_places(shape), k=n_neighbours)
    weights = 1 / np.maximum(distances, 1e-6) ** power
    return _best([(weights * (labels[nearest] == k)).sum(1) for k in _phases(labels)])


def nearest(shape, positions, labels):
    """The label of the nearest measurement."""
    return labels[cKDTree(positions).query(_places(shape))[1]]


def delaunay(shape, positions, labels):
    """Indicators interpolated linearly; the weighted mode outside the triangles."""
    indicators = np.column_stack([labels == k for k in _phases(labels)]).astype(float)
    heights = LinearNDInterpolator(positions, indicators)(_places(shape))
    outside = np.isnan(heights[:, 0])
    best = _best(heights.T)
    best[outside] = weighted_mode(shape, positions, labels)[outside]
    return best


def thin_plate(shape, positions, labels):
    """Indicators interpolated by thin plates through the 16 nearest."""
    indicators = np.column_stack([labels == k for k in _phases(labels)]).astype(float)
    plate = RBFInterpolator(positions, indicators, neighbors=16)
    return _best(plate(_places(shape)).T)


def kriging(shape, positions, labels):
    """The package's."""
    return reconstruct(shape, positions, labels).ravel()


RULES: dict[str, Callable] = {
    "mode": weighted_mode,
    "nearest": nearest,
    "Delaunay": delaunay,
    "thin plate": thin_plate,
    "kriging": kriging,
}


def _places(shape):
    return np.indices(shape).reshape(2, -1).T


def _phases(labels):
    return range(1, labels.max() + 1)


def _best(scores):
    return 1 + np.argmax(scores, axis=0)


def dynamic_pattern(truth, n_points, seed):
    """What dynamic sampling measures, one pixel after the other."""
    start = low_discrepancy_pattern(truth.shape, max(truth.size // 100, 2), seed)
    known = labels_on_map(truth.shape, start, truth[tuple(start.T)])
    chooser = Chooser(known, known == 0, default_regressor())
    places = chooser.replay(truth, n_points - len(start))
    return np.vstack([start, np.column_stack(np.divmod(places, truth.shape[1]))])


def positions_of(pattern, truth, n_points, seed):
    """Where a pattern measures."""
    if pattern == "dynamic":
        return dynamic_pattern(truth, n_points, seed)
    static = {
        "random": random_pattern,
        "low-discrepancy": low_discrepancy_pattern,
        "grid": grid_pattern,
    }
    return static[pattern](truth.shape, n_points, seed)


def measure(kind, pattern, options):
    """Shares of wrong pixels and seconds, seeds by rules."""
    wrong, seconds = [], []
    shape = (options.size, options.size)
    for seed in range(FIRST_SEED, FIRST_SEED + options.seeds):
        truth = draw_label_image_of_density(
            kind, shape, options.phases, options.density, seed
        )
        n_points = round(options.share * truth.size)
        positions = positions_of(pattern, truth, n_points, seed)
        labels = truth[tuple(positions.T)]
        known = labels_on_map(shape, positions, labels).ravel()
        row, times = [], []
        for name in options.rules:
            started = time.perf_counter()
            image = RULES[name](shape, positions, labels)
            times.append(time.perf_counter() - started)
            row.append((np.where(known > 0, known, image) != truth.ravel()).mean())
        wrong.append(row)
        seconds.append(times)
    return np.array(wrong), np.array(seconds)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--kinds", nargs="*", default=list(KINDS))
    add("--patterns", nargs="*", default=["dynamic", "random", "grid"])
    add("--rules", nargs="*", default=list(RULES))
    add("--size", type=int, default=128)
    add("--phases", type=int, default=2)
    add("--density", type=float, default=0.085, help="boundaries per pixel")
    add("--share", type=float, default=0.15, help="of the pixels that is measured")
    add("--seeds", type=int, default=5)
    options = parser.parse_args()
    print(
        f"{options.size} x {options.size}, {options.phases} phases, "
        f"{options.density} boundaries per pixel, {options.share:.1%} measured, "
        f"{options.seeds} seeds; wrong pixels, 1e-4 of the map: mean (sd)\n"
    )
    print(f"| kind | pattern | {' | '.join(options.rules)} |")
    print(f"|{' --- |' * (2 + len(options.rules))}")
    seconds = []
    for kind in options.kinds:
        for pattern in options.patterns:
            wrong, times = measure(kind, pattern, options)
            seconds.append(np.median(times, axis=0))
            cells = [
                f"{1e4 * column.mean():.1f} ({1e4 * column.std():.1f})"
                for column in wrong.T
            ]
            print(f"| {kind} | {pattern} | {' | '.join(cells)} |", flush=True)
    cells = [f"{s:.3f}" for s in np.median(seconds, axis=0)]
    print(f"| seconds | | {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
