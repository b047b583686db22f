# SPDX-License-Identifier: GPL-3.0-or-later
"""What training on a map of one's own is worth, and EELSpecNet as its authors made it.

    python benchmarks/deconvolution_own.py own --maps 3
    python benchmarks/deconvolution_own.py seed --steps 1500

- own: a map of mixtures of three scenes, 256 spectra, one response. The packaged model
  and those trained on the map, on other mixtures of the same scenes at three doses,
  and on the test sets, where the model must not have become worse. All are told the
  response; EELSpecNet does not look at it. Median over the maps (least to largest).
- seed: EELSpecNet trained in its authors' way, on spectra of their kind that it has
  not seen, and blind on the test sets.

Columns: squared error of the loss region over the truth's energy (mean and median over
the spectra), F1 and false peaks per spectrum; MAPE is that of the published program, on
shares of the electrons plus 0.001.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from hspy_ml.deconvolution.deconvolver_model import (
    DeconvolverModel,
    default_deconvolver,
)
from hspy_ml.deconvolution.noise import DetectorNoise
from hspy_ml.deconvolution.own_training import ARCHITECTURES, train_on_spectra
from hspy_ml.deconvolution.response import Response
from hspy_ml.deconvolution.restore import restore
from hspy_ml.deconvolution.scores import score
from hspy_ml.deconvolution.seed_model import SeedModel, train_seed_model
from hspy_ml.deconvolution.seed_stream import ZERO_CHANNEL, SeedStream
from hspy_ml.simulation.low_loss_readout import LowLossSpectra, measure
from hspy_ml.simulation.low_loss_scenes import Scenes, random_scenes
from hspy_ml.simulation.low_loss_test_sets import test_set
from hspy_ml.simulation.zero_loss_shapes import random_responses

PARTS = "own", "seed"
KEY = 1126  # of the maps, apart from what anything is trained on
N_SCENES, N_MAP = 3, 256
READ_NOISE = 0.5  # electrons
FIGURES = "nmse", "median_nmse", "f1", "false_peaks"
PEDESTAL = 1e-3


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; all")
    add("--maps", type=int, default=3)
    add("--first-map", type=int, default=0)
    add("--kind", default="vib", help="of the maps' scenes")
    add("--electrons", type=float, default=3e5, help="per spectrum of the map")
    add("--steps", type=int, default=None, help="of each training")
    add("--architectures", nargs="*", default=[ARCHITECTURES[0]])
    add("--n", type=int, default=60, help="spectra of each set")
    add("--sets", nargs="*", default=["vib medium", "vib low", "plasmon", "doublets"])
    add("--dilation", type=int, default=3, help="of EELSpecNet")
    add("--width", type=int, default=8, help="of EELSpecNet; published: 64")
    return parser


def main() -> None:
    """Run the parts that were asked for, and print their tables."""
    parser = _parser()
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {PARTS}")
    for part in (own, seed):
        if part.__name__ in (options.parts or PARTS):
            part(options)


def own(options: argparse.Namespace) -> None:
    """The packaged model and those of a map, on it and elsewhere."""
    found: dict[tuple[str, str], list[list[float]]] = {}
    for number in range(options.first_map, options.first_map + options.maps):
        ends, responses = _specimen(options.kind, number)
        models = {"packaged": default_deconvolver()}
        for architecture in options.architectures:
            started = time.perf_counter()
            models[f"own {architecture}"] = _trained(
                _mixed(ends, responses, N_MAP, options.electrons, [KEY, number, 1]),
                architecture,
                options.steps,
            )
            seconds = time.perf_counter() - started
            print(f"map {number}, {architecture}: {seconds:.0f} s", flush=True)
        sets = {
            f"map, {dose * options.electrons:.0e} electrons": _mixed(
                ends,
                responses,
                options.n,
                dose * options.electrons,
                [KEY, number, 2, round(10 * dose)],
            )
            for dose in (0.3, 1.0, 10.0)
        }
        sets |= {name: test_set(name, options.n, number) for name in options.sets}
        for name, spectra in sets.items():
            for label, model in models.items():
                figures = _figures(spectra, model)
                found.setdefault((name, label), []).append(figures)
    _print_table(found)


def seed(options: argparse.Namespace) -> None:
    """EELSpecNet on its own kind of spectra, and on others."""
    started = time.perf_counter()
    how = {} if options.steps is None else {"n_steps": options.steps}
    model = train_seed_model(width=options.width, dilation=options.dilation, **how)
    print(f"EELSpecNet: {time.perf_counter() - started:.0f} s\n{model.info()}\n")
    _print_seed_figures(model, options.n)
    found = {
        (name, "EELSpecNet"): [_figures(test_set(name, options.n), model)]
        for name in options.sets
    }
    _print_table(found)


def _specimen(kind: str, number: int) -> tuple[Scenes, np.ndarray]:
    rng = np.random.default_rng([KEY, number])
    ends = random_scenes(kind, N_SCENES, random_state=rng)
    return ends, random_responses("family", 1, random_state=rng)


def _mixed(
    ends: Scenes, responses: np.ndarray, n: int, electrons: float, key: list[int]
) -> LowLossSpectra:
    """Mixtures of the scenes, as a map shows them."""
    rng = np.random.default_rng(key)
    share = rng.dirichlet(np.full(N_SCENES, 0.7), n)
    scenes = Scenes(
        ends.energy_eV,
        share @ ends.loss,
        share @ ends.zero_loss,
        ends.padding,
        ends.lines[:0],
    )
    dose = electrons * np.exp(rng.uniform(-0.5, 0.5, n))
    shifts = rng.uniform(-1, 1, n)
    return measure(
        scenes, responses, dose, shifts, read_noise=READ_NOISE, random_state=rng
    )


def _trained(
    spectra: LowLossSpectra, architecture: str, n_steps: int | None
) -> DeconvolverModel:
    return train_on_spectra(
        spectra.counts,
        spectra.energy_eV,
        response=Response(spectra.responses),
        architecture=architecture,
        n_steps=n_steps,
    )


def _figures(spectra: LowLossSpectra, model: DeconvolverModel) -> list[float]:
    noise = DetectorNoise(spectra.gain, spectra.read_noise**2, spectra.offset)
    response = Response(spectra.responses)
    zero = float(spectra.zero_channel)
    found = restore(
        noise.electrons(spectra.counts), response, noise, model, zero_channel=zero
    )
    scores = score(found.spectra, spectra.truth, response.fwhm, zero).summary()
    return [scores[name] for name in FIGURES]


def _print_table(found: dict[tuple[str, str], list[list[float]]]) -> None:
    print("\n| spectra | model | " + " | ".join(FIGURES) + " |")
    print("| --- | --- |" + " --- |" * len(FIGURES))
    for (name, label), figures in found.items():
        cells = [_cell(np.array(column)) for column in zip(*figures, strict=True)]
        print(f"| {name} | {label} | " + " | ".join(cells) + " |", flush=True)


def _cell(values: np.ndarray) -> str:
    if values.size == 1:
        return f"{values[0]:.4f}"
    return f"{np.median(values):.4f} ({values.min():.4f} to {values.max():.4f})"


def _print_seed_figures(model: SeedModel, n: int) -> None:
    import torch

    from hspy_ml.deconvolution.seed_network import compressed, expanded

    width = float(model.network.target_width)
    spectra, truth = SeedStream(width).draw(n, KEY)
    with torch.inference_mode():
        seen = compressed(torch.from_numpy(spectra))
        found = expanded(model.network.network(seen)).numpy()
    relative = np.abs(found - truth) / (truth + PEDESTAL)
    after = slice(ZERO_CHANNEL + 30, None)
    energy = (truth[:, after] ** 2).sum(axis=1)
    error = ((found - truth)[:, after] ** 2).sum(axis=1)[energy > 0]
    print(
        f"on spectra of its kind: MAPE {100 * relative.mean():.3f} %, MSE "
        f"{np.mean((found - truth) ** 2):.2e}, NMSE of the losses "
        f"{np.median(error / energy[energy > 0]):.4f} (median)"
    )


if __name__ == "__main__":
    main()
