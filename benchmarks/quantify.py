# SPDX-License-Identifier: GPL-3.0-or-later
"""Pixels per second of the likelihood's fit of an EDS map, beside exspy's models.

    python benchmarks/quantify.py --counts 50,500,5000

Eight elements, 2048 channels. All methods run in one process, in turns, on the same
counts: ours on the whole map, exspy's on crops of it, since they take longer. exspy's
model is `create_model()` with its `multifit`; the linear fits hold widths and positions
of the lines, and of these "nnls" alone keeps intensities above zero, as ours does. To
make a model takes exspy about a second more, which does not count.
"""

from __future__ import annotations

import argparse
import logging
import os
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

PHASES = {
    "silicate": "Mg1.6Fe0.3Ca0.1SiO4",
    "oxide": "Fe1.5Al0.5O3",
    "alloy": "Cu0.9Nd0.1",
}
LINEAR = ("lstsq", "nnls")


def simulated(size: int, counts_per_pixel: float) -> Any:
    """Grains of an oxide and an alloy in a silicate."""
    import hspy_ml

    return hspy_ml.simulate(
        PHASES, (size, size), counts_per_pixel, random_state=0, continuum_share=0.4
    )


def crop(s: Any, size: int) -> Any:
    """The first pixels, in the numbers that HyperSpy computes with."""
    part = s.inav[:size, :size].deepcopy()
    part.change_dtype("float64")
    return part


def fit_alone(s: Any) -> Callable[[], object]:
    """Weights, errors and goodness of fit from an array of counts."""
    import hspy_ml
    from hspy_ml.counts.building import counts_from_array
    from hspy_ml.quantification.weights import fit_weights

    g = hspy_ml.g_matrix(s)
    used = s.axes_manager[-1].axis >= 0.2
    image = s.data.reshape(-1, used.size)
    counts = counts_from_array(image, excluded_channels=~used)
    return lambda: fit_weights(counts, g.matrix[used])


def whole_method(s: Any) -> Callable[[], object]:
    """From signal to signals of atomic percent, their errors, and mass thickness."""
    return lambda: s.ml_quantify(method="likelihood", show_progressbar=False)


def exspy_fit(s: Any, optimizer: str | None) -> Callable[[], object]:
    """`multifit` of exspy's model, by its default optimizer if none is named."""
    model = s.create_model()
    if optimizer is None:
        return lambda: model.multifit(show_progressbar=False)
    model.set_parameters_not_free(only_nonlinear=True)
    return lambda: model.multifit(optimizer=optimizer, show_progressbar=False)


def pixels_per_second(task: Callable[[], object], n_pixels: int) -> tuple:
    """Time one call: by the wall, and by the processors."""
    wall, cpu = time.perf_counter(), time.process_time()
    task()
    return (
        n_pixels / (time.perf_counter() - wall),
        n_pixels / (time.process_time() - cpu),
    )


def rounds(s: Any, n_rounds: int, crops: tuple[int, int]) -> dict[str, np.ndarray]:
    """Pixels per second of every method in every round, by both clocks."""
    shape = s.axes_manager.navigation_shape
    few, some = crop(s, crops[0]), crop(s, crops[1])
    tasks = {
        "fit_weights": (fit_alone(s), shape[0] * shape[1]),
        "ml_quantify": (whole_method(s), shape[0] * shape[1]),
        "exspy, default": (exspy_fit(few, None), crops[0] ** 2),
    }
    for name in LINEAR:
        tasks[f"exspy, {name}"] = (exspy_fit(some, name), crops[1] ** 2)
    fit_alone(few)()  # compiles
    result = {name: np.empty((n_rounds, 2)) for name in tasks}
    for turn in range(n_rounds):
        for name, (task, n_pixels) in tasks.items():
            result[name][turn] = pixels_per_second(task, n_pixels)
    return result


def table(result: dict[str, np.ndarray]) -> str:
    """Medians and ranges, and how many times faster ours are in the same round."""
    lines = [
        "| method | pixels/s | range | per CPU second | fit_weights faster by "
        "| ml_quantify faster by |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    own_speed = {own: result[own][:, 0] for own in ("fit_weights", "ml_quantify")}
    for name, speeds in result.items():
        speed, by_cpu = speeds.T
        ratios = [
            f"{np.median(own / speed):.3g} "
            f"({min(own / speed):.3g} to {max(own / speed):.3g})"
            for own in own_speed.values()
        ]
        lines.append(
            f"| {name} | {np.median(speed):.4g} | {min(speed):.4g} to {max(speed):.4g} "
            f"| {np.median(by_cpu):.4g} | {ratios[0]} | {ratios[1]} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--size", type=int, default=256)
    add("--counts", type=lambda t: [float(n) for n in t.split(",")], default=[50, 5000])
    add("--rounds", type=int, default=5)
    add("--crops", type=lambda t: tuple(map(int, t.split(","))), default=(5, 64))
    options = parser.parse_args()
    logging.disable(logging.ERROR)
    warnings.simplefilter("ignore")
    for counts_per_pixel in options.counts:
        s = simulated(options.size, counts_per_pixel)
        load = ", ".join(f"{n:.1f}" for n in os.getloadavg())
        print(
            f"\n{options.size} x {options.size} x {s.data.shape[-1]}, "
            f"{s.data.sum() / options.size**2:.0f} counts a pixel, elements "
            f"{' '.join(s.metadata.Sample.elements)}; {os.cpu_count()} cores, load "
            f"{load}",
            flush=True,
        )
        print(table(rounds(s, options.rounds, options.crops)), flush=True)


if __name__ == "__main__":
    main()
