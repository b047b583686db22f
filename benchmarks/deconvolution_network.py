# SPDX-License-Identifier: GPL-3.0-or-later
"""The deconvolving network by itself, and with likelihood steps from its result.

    python benchmarks/deconvolution_network.py
    python benchmarks/deconvolution_network.py --sets "vib medium" plasmon --steps 3 10
    python benchmarks/deconvolution_network.py --model my_network.safetensors

Response, gain and read-out noise are the true ones, the zero loss is found in the
spectra. The number of steps is the same for all spectra of a set; choosing it is not
part of this benchmark (see `deconvolution.py`).

Columns: squared error of the loss region over the truth's energy (mean, median), F1
and false peaks per spectrum, median error of peak areas in %, share of channels
within one and 1.96 standard errors in %, spectra per second on one core.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator

import numpy as np
import torch

from hspy_ml.deconvolution.deconvolver_model import DEFAULT_FILE, load_deconvolver
from hspy_ml.deconvolution.exposure import MARGIN, Exposure
from hspy_ml.deconvolution.network_start import without_gaussian
from hspy_ml.deconvolution.noise import DetectorNoise
from hspy_ml.deconvolution.response import Response
from hspy_ml.deconvolution.restore import RestoredSpectra, moved, restore
from hspy_ml.deconvolution.scores import interval_coverage, score
from hspy_ml.simulation.low_loss_readout import LowLossSpectra
from hspy_ml.simulation.low_loss_test_sets import TEST_SETS, test_set

USUAL_SETS = ("vib high", "vib medium", "vib low", "plasmon")
COLUMNS = ("NMSE", "median", "F1", "false", "area", "68", "95", "per s")


def main() -> None:
    """Print the table."""
    options = _parser().parse_args()
    torch.set_num_threads(1)
    model = load_deconvolver(options.model)
    print(f"{'':24}" + "".join(f"{name:>10}" for name in COLUMNS))
    for name in options.sets:
        made = test_set(name, options.n, options.seed)
        noise = DetectorNoise(made.gain, made.read_noise**2, made.offset)
        electrons = noise.electrons(made.counts)
        response = Response(made.responses)
        started = time.perf_counter()
        found = restore(
            electrons, response, noise, model, zero_channel=made.zero_channel
        )
        rate = options.n / (time.perf_counter() - started)
        covered = [
            100 * interval_coverage(found.spectra, found.errors, made.truth, w).mean()
            for w in (1, 1.96)
        ]
        _print(name, found.losses, response, made, [*covered, rate])
        if options.steps:
            stepped = _stepped(found, electrons, noise, response, made, options.steps)
            for steps, losses in stepped:
                _print(f"{name} + {steps} steps", losses, response, made, [])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--sets", nargs="+", choices=list(TEST_SETS), default=USUAL_SETS)
    add("--n", type=int, default=100, help="spectra in a set")
    add("--seed", type=int, default=0)
    add("--steps", type=int, nargs="*", default=())
    add("--model", default=DEFAULT_FILE)
    return parser


def _print(
    name: str,
    losses: np.ndarray,
    response: Response,
    made: LowLossSpectra,
    more: list[float],
) -> None:
    spectra = losses + made.truth - made.loss_truth
    scores = score(spectra, made.truth, response.fwhm, made.zero_channel)
    figures = scores.summary()
    row = [
        f"{figures['nmse']:.5f}",
        f"{figures['median_nmse']:.5f}",
        f"{figures['f1']:.3f}",
        f"{figures['false_peaks']:.2f}",
        f"{100 * figures['area_error']:.2f}",
        *(f"{value:.1f}" for value in more),
    ]
    print(f"{name:24}" + "".join(f"{text:>10}" for text in row), flush=True)


def _stepped(
    found: RestoredSpectra,
    electrons: np.ndarray,
    noise: DetectorNoise,
    response: Response,
    made: LowLossSpectra,
    steps: list[int],
) -> Iterator[tuple[int, np.ndarray]]:
    """Aligned losses after each number of likelihood steps from the network's."""
    widths = np.full(len(electrons), made.target_width)
    shifts = found.centre - made.zero_channel
    parts = (electrons, noise.read_electrons, response.kernel, found.centre)
    exposure = Exposure(*map(_tensor, (*parts, response.fwhm, widths)))
    losses = _tensor(np.maximum(moved(found.losses.astype(float), shifts), 0))
    padded = torch.nn.functional.pad(losses, (MARGIN, MARGIN))
    start = without_gaussian(padded, widths) + 1e-3
    checkpoints = tuple(sorted(steps))
    kept = exposure.climb(start, exposure.area_beside(losses), checkpoints)
    for number, (scene, _) in zip(checkpoints, kept, strict=True):
        sharp = exposure.at_target(scene).double().numpy()
        yield number, np.maximum(moved(sharp, -shifts), 0)


def _tensor(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.array(values, dtype=np.float32))


if __name__ == "__main__":
    main()
