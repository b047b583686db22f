# SPDX-License-Identifier: GPL-3.0-or-later
"""Seconds of one iteration, and memory, beside other packages on the same data.

    python benchmarks/speed.py --sizes 128,256

All methods run in one process, in turns, from the same start. An iteration updates
maps and spectra once. Other packages are timed as the difference between runs of
more and of fewer iterations, so that what they do once does not count.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scenes import as_csr

from hspy_ml.counts import SparseCounts
from hspy_ml.counts.building import counts_from_array
from hspy_ml.factorization import multiplicative, variational
from hspy_ml.factorization.constraints import ConstantThickness
from hspy_ml.factorization.factorize import CountedImage, factorize
from hspy_ml.factorization.passes import fused_pass_and_log_likelihood
from hspy_ml.physics.gmatrix import GMatrix

PHASES = {
    "bridgmanite": "Mg0.82Fe0.10Ca0.02Nd0.03Sm0.02Si0.88Al0.10Hf0.03O3",
    "ferropericlase": "Mg0.78Fe0.20Cu0.02O",
    "Ca-perovskite": "Ca0.88Nd0.07Sm0.05Si0.93Al0.05Hf0.02O3",
}
COUNTS_PER_PIXEL = 50.0
N_CHANNELS = 2048
OURS = ("ours, multiplicative, float32", "ours, multiplicative", "ours, variational")
PASSES = ("fused pass, float32", "fused pass, float64")


@dataclass(frozen=True, eq=False)
class Data:
    """One spectrum image, and where all methods start.

    Parameters
    ----------
    image : ndarray of uint8, shape (n_pixels, n_channels)
        The counts as an array.
    counts : SparseCounts
        The same.
    map_shape : tuple of int
    g_matrix : GMatrix
    weights : ndarray, shape (n_columns, n_phases)
        W to start from.
    abundances : ndarray, shape (n_pixels, n_phases)
        H to start from; rows sum to one.
    """

    image: np.ndarray
    counts: SparseCounts
    map_shape: tuple[int, int]
    g_matrix: GMatrix
    weights: np.ndarray
    abundances: np.ndarray

    @property
    def spectra(self) -> np.ndarray:
        """G W of the start."""
        return self.g_matrix.matrix @ self.weights


@dataclass(frozen=True)
class Timing:
    """Seconds of one iteration."""

    wall: float
    cpu: float


def simulated(size: int) -> Data:
    """Grains of two minerals in a third, and a start that is not the truth."""
    import hspy_ml
    from hspy_ml.signals.simulation_truth import SimulationTruth

    s = hspy_ml.simulate(
        PHASES,
        (size, size),
        COUNTS_PER_PIXEL,
        n_channels=N_CHANNELS,
        random_state=0,
    )
    truth = SimulationTruth.from_signal(s)
    image = s.data.reshape(-1, N_CHANNELS)
    rng = np.random.default_rng(0)
    mixed = truth.abundances.reshape(-1, len(PHASES)) + 0.2
    return Data(
        image,
        counts_from_array(image),
        (size, size),
        hspy_ml.g_matrix(s),
        truth.weights + truth.weights.mean(axis=1, keepdims=True) * rng.random(3),
        mixed / mixed.sum(axis=1, keepdims=True),
    )


def multiplicative_iteration(data: Data, dtype: type) -> Callable[[], object]:
    """One iteration of maximum likelihood on the simplex."""
    problem = multiplicative.LikelihoodProblem(
        data.counts,
        data.g_matrix.matrix,
        ConstantThickness(),
        (),
        np.zeros(len(PHASES), dtype=bool),
    )
    model = multiplicative.Model(data.weights, data.abundances.astype(dtype))
    return lambda: multiplicative.iterate(problem, model)


def variational_iteration(data: Data) -> Callable[[], object]:
    """One iteration of the default algorithm, at full resolution."""
    totals = data.g_matrix.matrix.sum(axis=0)
    held = np.zeros(len(PHASES), dtype=bool)
    problem = variational.VariationalProblem(
        data.counts, data.g_matrix.matrix / totals, held
    )
    shares = data.weights * totals[:, None]
    prior = np.full(len(PHASES), variational.CONCENTRATION)
    posterior = prior + data.abundances * data.counts.pixel_totals[:, None]
    model = variational.SharesModel(shares / shares.sum(axis=0), posterior, prior)
    return lambda: variational.iterate(problem, model)


def fused_pass(data: Data, dtype: type) -> Callable[[], object]:
    """The read of the data alone."""
    spectra, maps = data.spectra.astype(dtype), data.abundances.astype(dtype)
    return lambda: fused_pass_and_log_likelihood(data.counts, spectra, maps)


def sklearn_run(data: Data, matrix) -> Callable[[int], object]:
    """NMF of scikit-learn with the Poisson loss, on a sparse or dense matrix."""
    from sklearn.decomposition import non_negative_factorization

    def run(n_iterations: int) -> object:
        return non_negative_factorization(
            matrix,
            data.abundances.copy(),
            np.ascontiguousarray(data.spectra.T),
            n_components=len(PHASES),
            init="custom",
            solver="mu",
            beta_loss="kullback-leibler",
            tol=0,
            max_iter=n_iterations,
        )

    return run


def espm_run(data: Data, matrix: np.ndarray) -> Callable[[int], object]:
    """SmoothNMF of espm with its default constraint."""
    from espm.estimators import SmoothNMF

    g = data.g_matrix.matrix / data.g_matrix.matrix.sum(axis=0).mean()

    def run(n_iterations: int) -> object:
        estimator = SmoothNMF(
            n_components=len(PHASES),
            G=g,
            hspy_comp=True,
            max_iter=n_iterations,
            no_stop_criterion=True,
        )
        start = data.weights / data.weights.sum(axis=0)
        return estimator.fit_transform(matrix, W=start, H=data.abundances.T.copy())

    return run


def timed(task: Callable[[], object]) -> Timing:
    """Time one call."""
    wall, cpu = time.perf_counter(), time.process_time()
    task()
    return Timing(time.perf_counter() - wall, time.process_time() - cpu)


def median_of(task: Callable[[], object], n_calls: int) -> Timing:
    """Median of some calls."""
    times = [timed(task) for _ in range(n_calls)]
    return Timing(*(float(np.median([getattr(t, f) for t in times])) for f in _CLOCKS))


def per_iteration(run: Callable[[int], object], few: int, many: int) -> Timing:
    """Difference between a long run and a short one."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        short, long = (timed(lambda n=n: run(n)) for n in (few, many))
    steps = many - few
    return Timing((long.wall - short.wall) / steps, (long.cpu - short.cpu) / steps)


_CLOCKS = ("wall", "cpu")


def rounds(data: Data, peers: list[str], n_rounds: int) -> list[dict[str, Timing]]:
    """Time all methods in turns."""
    own = dict(_own_iterations(data))
    for task in own.values():
        task()  # compiles
    others = dict(_peers(data, peers))
    for run, few, _ in others.values():
        per_iteration(run, few, few + 1)  # first calls take longer
    result = []
    for _ in range(n_rounds):
        times = {name: median_of(task, 9) for name, task in own.items()}
        for name, (run, few, many) in others.items():
            times[name] = per_iteration(run, few, many)
        result.append(times)
    return result


def _own_iterations(data: Data) -> Iterator[tuple[str, Callable[[], object]]]:
    yield OURS[0], multiplicative_iteration(data, np.float32)
    yield OURS[1], multiplicative_iteration(data, np.float64)
    yield OURS[2], variational_iteration(data)
    yield PASSES[0], fused_pass(data, np.float32)
    yield PASSES[1], fused_pass(data, np.float64)


def _peers(data: Data, names: list[str]) -> Iterator[tuple[str, tuple]]:
    dense = data.image.astype(np.float64) if set(names) & {"dense", "espm"} else None
    if "sparse" in names:
        yield "scikit-learn, sparse", (sklearn_run(data, as_csr(data.counts)), 2, 12)
    if "dense" in names:
        yield "scikit-learn, dense", (sklearn_run(data, dense), 1, 6)
    if "espm" in names:
        yield "espm", (espm_run(data, dense), 1, 6)


def time_table(result: list[dict[str, Timing]]) -> str:
    """Seconds an iteration: the median and the range over the rounds."""
    lines = ["| method | wall, ms | range | CPU, ms |", "| --- | --- | --- | --- |"]
    for name in result[0]:
        wall = [1e3 * times[name].wall for times in result]
        cpu = np.median([1e3 * times[name].cpu for times in result])
        lines.append(
            f"| {name} | {np.median(wall):.1f} "
            f"| {min(wall):.1f} to {max(wall):.1f} | {cpu:.0f} |"
        )
    return "\n".join(lines)


def ratio_table(result: list[dict[str, Timing]]) -> str:
    """How many of our iterations fit into one of theirs, in the same round."""
    peers = [name for name in result[0] if name not in (*OURS, *PASSES)]
    lines = ["| ratio of wall times | " + " | ".join(OURS) + " |"]
    lines += ["| --- " * (1 + len(OURS)) + "|"]
    for peer in peers:
        cells = [_ratios(result, peer, own) for own in OURS]
        lines.append(f"| {peer} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _ratios(result: list[dict[str, Timing]], peer: str, own: str) -> str:
    ratio = [times[peer].wall / times[own].wall for times in result]
    return f"{np.median(ratio):.0f} ({min(ratio):.0f} to {max(ratio):.0f})"


def memory_table(data: Data) -> str:
    """Peak memory of each step in units of the sparse counts, what it makes included.

    As numpy reports it to tracemalloc; the kernels allocate next to nothing.
    """
    counts = data.counts
    held = counts.offsets.nbytes + counts.channels.nbytes + counts.values.nbytes
    pixels = np.arange(counts.n_pixels)
    image = CountedImage(counts, data.map_shape, pixels)
    steps = {
        "counts from an array": lambda: counts_from_array(data.image),
        OURS[0]: multiplicative_iteration(data, np.float32),
        OURS[1]: multiplicative_iteration(data, np.float64),
        OURS[2]: variational_iteration(data),
        "the whole factorisation": lambda: factorize(
            image, data.g_matrix, len(PHASES), random_state=0
        ),
    }
    lines = [
        f"sparse counts: {held / 2**20:.1f} MiB, input {data.image.nbytes / 2**20:.0f} "
        "MiB",
        "| step | peak, MiB | in units of the sparse counts |",
        "| --- | --- | --- |",
    ]
    for name, step in steps.items():
        peak = _peak_bytes(step)
        lines.append(f"| {name} | {peak / 2**20:.1f} | {peak / held:.2f} |")
    return "\n".join(lines)


def _peak_bytes(step: Callable[[], object]) -> int:
    step()
    tracemalloc.start()
    try:
        step()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--sizes", type=lambda t: [int(n) for n in t.split(",")], default=[128, 256])
    add("--peers", type=lambda t: t.split(","), default=["sparse", "dense", "espm"])
    add("--rounds", type=int, default=5)
    add("--memory", action="store_true", help="peak memory of ours instead of times")
    options = parser.parse_args()
    for size in options.sizes:
        data = simulated(size)
        per_pixel = data.counts.values.size / data.counts.n_pixels
        print(
            f"\n{size} x {size} x {N_CHANNELS}, {per_pixel:.1f} non-zero counts a "
            f"pixel, {len(data.g_matrix.elements)} elements, "
            f"{data.g_matrix.matrix.shape[1]} columns; {os.cpu_count()} cores",
            flush=True,
        )
        if options.memory:
            print(memory_table(data), flush=True)
            continue
        result = rounds(data, options.peers, options.rounds)
        print(time_table(result), ratio_table(result), sep="\n\n", flush=True)


if __name__ == "__main__":
    main()
