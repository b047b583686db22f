# SPDX-License-Identifier: GPL-3.0-or-later
"""The demonstration: a spectrum image with known truth, and what is found in it.

``python -m hspy_ml`` simulates a spectrum image, saves it, loads it with HyperSpy,
runs ``physics_nmf``, prints the compositions beside the truth and draws a figure.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

IMAGE = "hspy_ml_demo.hspy"
FIGURE = "hspy_ml_demo.png"
SIDE = 128
COUNTS_PER_PIXEL = 74.0
DOTS_PER_INCH = 150


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demonstration.

    Parameters
    ----------
    arguments : sequence of str, optional
        Instead of those of the command line.

    Returns
    -------
    int
        0, the exit status.
    """
    options = _parser().parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    _draw_without_screen()
    with warnings.catch_warnings():
        _ignore_notes_of_hyperspy()
        s = _image(options.output / IMAGE, options)
    started = time.perf_counter()
    result, truth = _phases(s, options.random_state)
    seconds = time.perf_counter() - started
    _report(s, result, truth, seconds, options.output / FIGURE)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m hspy_ml", description=__doc__)
    add = parser.add_argument
    add("--output", type=Path, default=Path(), help="folder for what is written")
    add("--side", type=int, default=SIDE, help="pixels along each side")
    add("--counts", type=float, default=COUNTS_PER_PIXEL, help="counts per pixel")
    add("--random-state", type=int, default=0, help="another number, another image")
    return parser


def _draw_without_screen() -> None:
    import matplotlib

    matplotlib.use("Agg")


def _ignore_notes_of_hyperspy() -> None:
    """HyperSpy 2.5 warns of how it imports its own modules."""
    import hyperspy.api  # noqa: F401  sets its own filters, before ours

    warnings.filterwarnings("ignore", message=".*removed in the HyperSpy")


def _image(path: Path, options: argparse.Namespace) -> Any:
    """Simulate, save, and load as one would a measured file."""
    import hyperspy.api as hs

    from hspy_ml import simulate

    shape = (options.side, options.side)
    print(f"simulating {shape[0]} x {shape[1]} pixels, {options.counts:g} counts each")
    simulated = simulate(
        shape=shape,
        counts_per_pixel=options.counts,
        random_state=options.random_state,
    )
    simulated.save(path, overwrite=True)
    print(f"wrote {path}; loading it with HyperSpy")
    return hs.load(path)


def _phases(s: Any, random_state: int) -> tuple[Any, Any]:
    from hspy_ml.signals.simulation_truth import SimulationTruth

    truth = SimulationTruth.from_signal(s)
    n_phases = len(truth.phases)
    print(f"s.physics_nmf({n_phases}, random_state={random_state})")
    return s.physics_nmf(n_phases, random_state=random_state), truth


def _report(s: Any, result: Any, truth: Any, seconds: float, path: Path) -> None:
    from hspy_ml.signals.comparison import Comparison
    from hspy_ml.signals.comparison_plot import plot_comparison

    comparison = Comparison.of(result, truth)
    print(f"\n{comparison.table}\n")
    print(
        f"{comparison.atomic_percent_deviation:.2f} at.% mean deviation from the "
        f"truth; {seconds:.1f} s, compiling at the first run included"
    )
    subtitle = f"simulated image, s.physics_nmf({result.n_phases}) in {seconds:.1f} s"
    figure = plot_comparison(comparison, s, result.g_matrix, subtitle)
    figure.savefig(path, dpi=DOTS_PER_INCH)
    print(f"wrote {path}")


if __name__ == "__main__":
    sys.exit(main())
