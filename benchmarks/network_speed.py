# SPDX-License-Identifier: GPL-3.0-or-later
"""Seconds of training, spectra per second, and the hours of exspy's models."""

from __future__ import annotations

import os
import tempfile
import time
from argparse import Namespace
from typing import Any
from unittest.mock import patch

from alloy_scene import ELEMENTS
from quantify import crop, exspy_fit

COUNTS = 100.0
CROP = 5  # pixels along each side that exspy fits
LARGE_MAP = 512**2
REPETITIONS = 3


def speed(options: Namespace) -> None:
    """Print them, all on the same map."""
    import hspy_ml

    side = options.speed_side
    s = hspy_ml.simulate(
        {"Ti-6Al-4V": "Ti0.86Al0.10V0.04", **{e: e for e in ELEMENTS}},
        (side, side),
        COUNTS,
        detector=options.detector,
        random_state=options.seed,
    )
    n_spectra = side**2
    print(
        f"{side} x {side} spectra of {s.data.shape[-1]} channels, {COUNTS:g} counts\n"
    )
    if "likelihood" not in options.without:
        _, fitted = _best_of(s, "likelihood", options)
        print(f"likelihood: {n_spectra / fitted:.0f} spectra/s")
    if "network" not in options.without:
        with tempfile.TemporaryDirectory() as folder:
            with patch.dict(os.environ, {"HSPY_ML_MODELS": folder}):
                first, again = _best_of(s, "network", options, random_state=0)
        print(
            f"network: {n_spectra / again:.0f} spectra/s; the first call, which "
            f"trains, {first:.1f} s, {first - again:.1f} s more"
        )
    few = exspy_fit(crop(s, CROP), None)
    pixels_per_second = CROP**2 / _seconds(few)
    print(
        f"exspy, `multifit` of {CROP**2} pixels: {pixels_per_second:.1f} spectra/s, "
        f"{LARGE_MAP / pixels_per_second / 3600:.1f} h for 512 x 512"
    )


def _best_of(
    s: Any, method: str, options: Namespace, **more: Any
) -> tuple[float, float]:
    """Seconds of the first call, and the least of those after it."""

    def call() -> None:
        s.ml_quantify(
            method=method, detector=options.detector, show_progressbar=False, **more
        )

    first = _seconds(call)
    return first, min(_seconds(call) for _ in range(REPETITIONS))


def _seconds(task: Any) -> float:
    started = time.perf_counter()
    task()
    return time.perf_counter() - started
