# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectra per second of deconvolution, beside exspy's Richardson-Lucy.

    python benchmarks/deconvolution_speed.py
    python benchmarks/deconvolution_speed.py --n 256 --threads 2

A map of one specimen and one response. The decisions on a sample are timed apart: they
are taken once for a map. exspy's runs on a part of the map. Medians of several runs,
least and most in brackets.
"""

from __future__ import annotations

import argparse
import logging
import time
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

EXSPY_PART = 20
BLOCK = 64
ITERATIONS = 15


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--n", type=int, default=512, help="spectra")
    add("--threads", type=int, default=2)
    add("--runs", type=int, default=5)
    add("--electrons", type=float, default=1e7)
    add("--seed", type=int, default=0)
    options = parser.parse_args()
    _quiet()
    _print_rates(options)


def _print_rates(options: argparse.Namespace) -> None:
    import torch

    from hspy_ml.deconvolution.deconvolve import prepare_deconvolution
    from hspy_ml.deconvolution.response import Response

    torch.set_num_threads(1)
    made = _map(options)
    response = Response(made.responses)
    blocks = np.array_split(made.counts, max(1, options.n // BLOCK))
    print(f"{options.n} spectra of {made.counts.shape[1]} channels")
    peer = _rates(lambda: _exspy(made), EXSPY_PART, options.runs)
    print(f"exspy, Richardson-Lucy, {ITERATIONS} iterations: {_text(peer)} spectra/s")
    for name, known in (("informed", response), ("blind", None)):
        started = time.perf_counter()
        deconvolver = prepare_deconvolution(
            made.counts, made.energy_eV, response=known, random_state=options.seed
        )
        prepared = time.perf_counter() - started

        def apply(deconvolver: Any = deconvolver) -> None:
            with ThreadPoolExecutor(options.threads) as pool:
                list(pool.map(deconvolver.apply, blocks))

        rates = _rates(apply, options.n, options.runs)
        ratio = np.median(rates) / np.median(peer)
        print(
            f"{name}, {options.threads} threads: {_text(rates)} spectra/s, {ratio:.0f} "
            f"times exspy's; once for the map {prepared:.1f} s; "
            f"{deconvolver.choice.why}"
        )


def _map(options: argparse.Namespace) -> Any:
    from hspy_ml.simulation.low_loss_readout import measure
    from hspy_ml.simulation.low_loss_scenes import random_scenes
    from hspy_ml.simulation.zero_loss_shapes import random_responses

    rng = np.random.default_rng(options.seed)
    few = random_scenes("vib", 4, random_state=rng)
    scenes = few.select(np.arange(options.n) % 4)
    response = random_responses("family", 1, fwhm=(14.0, 14.0), random_state=rng)
    shifts = rng.uniform(-2.0, 2.0, options.n)
    return measure(
        scenes, response, options.electrons, shifts, 2.0, 1.0, 20.0, random_state=rng
    )


def _exspy(made: Any) -> None:
    from deconvolution_methods import eels_signal, psf_signal

    some = np.maximum(made.counts[:EXSPY_PART].astype(float), 0.0)
    eels_signal(some, made).richardson_lucy_deconvolution(
        psf_signal(made).inav[0], iterations=ITERATIONS, show_progressbar=False
    )


def _rates(task: Callable[[], None], n_spectra: int, runs: int) -> list[float]:
    task()
    rates = []
    for _ in range(runs):
        started = time.perf_counter()
        task()
        rates.append(n_spectra / (time.perf_counter() - started))
    return rates


def _text(rates: list[float]) -> str:
    return f"{np.median(rates):.0f} ({min(rates):.0f}-{max(rates):.0f})"


def _quiet() -> None:
    import hyperspy.api as hs

    hs.preferences.General.show_progressbar = False
    logging.disable(logging.ERROR)
    warnings.simplefilter("ignore")


if __name__ == "__main__":
    main()
