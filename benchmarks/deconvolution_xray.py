# SPDX-License-Identifier: GPL-3.0-or-later
"""X-ray spectra sharpened: network, automatic choice, Richardson-Lucy, by dose.

    python benchmarks/deconvolution_xray.py [--parts specimens pairs speed nist]
        [--n 40] [--seeds 3] [--nist FOLDER]

Random specimens of other seeds than the training's on one instrument (130 eV, 10 eV per
channel, 2048 channels); pairs of overlapping lines in equal amounts; and measured
spectra of certified glasses. Errors are those at the target resolution. Medians over
the seeds, with the smallest and the largest.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import torch

from hspy_ml.deconvolution.xray_deconvolve import prepare_xray_deconvolution
from hspy_ml.deconvolution.xray_response import XrayResponse
from hspy_ml.deconvolution.xray_richardson_lucy import richardson_lucy
from hspy_ml.deconvolution.xray_scenes import draw_scene, expected_spectra
from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.detector import make_detector, peaks_on_channels, resolution

DOSES = (30, 100, 1e3, 1e4, 1e5, 1e6)
PARTS = ("specimens", "pairs", "speed", "nist")
PAIR_COUNTS = (1e3, 1e4, 1e5, 1e6)  # of each line
PAIRS = {
    "O Ka, Cr La": (0.525, 0.573),
    "N Ka, Ti La": (0.392, 0.452),
    "Mo La, Pb Ma": (2.293, 2.345),
    "S Ka, Pb Ma": (2.307, 2.345),
    "Ba La, Ti Ka": (4.466, 4.511),
    "S Ka, Mo La": (2.307, 2.293),
    "Ti Kb, V Ka": (4.932, 4.952),
}
CHANNEL = 0.01  # keV
PROMINENT = 0.02  # dip between two lines, over the lower one
NEAR = 0.06  # keV, half of the range over which the area of a line is summed
NIST = Path(__file__).resolve().parents[1].parent / "shared/data/vendor/nist"


def instrument() -> Acquisition:
    """130 eV, 10 eV per channel."""
    energy = CHANNEL * np.arange(2048)
    return Acquisition(energy, "EDS_TEM", 200.0, detector=make_detector("windowless"))


def found_by_all(counts: np.ndarray, acquisition: Acquisition) -> dict:
    """Spectra by each method, and of those with errors the coverages and deviance."""
    response = XrayResponse.of_detector(acquisition)
    found = {}
    for n in (15, 50):
        found[f"RL {n}"] = richardson_lucy(counts, response, n), None
    for method in ("richardson-lucy", "network", "auto"):
        prepared = prepare_xray_deconvolution(counts, acquisition, method=method)
        result = prepared.apply(counts)
        found[method] = result.spectra, result
    return found


def nmse(spectra: np.ndarray, truth: np.ndarray) -> float:
    """Median over the spectra of the squared error over the squared truth."""
    off = ((spectra - truth) ** 2).sum(axis=1)
    return float(np.median(off / (truth**2).sum(axis=1)))


def coverage(result, truth: np.ndarray) -> tuple[float, float]:
    """Percent of the channels within 1 and 1.96 standard errors."""
    off = np.abs(result.spectra - truth)
    return tuple(100 * float((off < n * result.errors).mean()) for n in (1, 1.96))


def spread(values: list[float], digits: int = 4) -> str:
    """Median, smallest and largest."""
    low, middle, high = np.quantile(values, [0, 0.5, 1])
    return f"{middle:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"


def random_specimens(n: int, seeds: int) -> None:
    """Table of errors by dose."""
    acquisition = instrument()
    response = XrayResponse.of_detector(acquisition)
    print(
        "counts  method           NMSE                      within 1, 1.96 errors (%)"
    )
    for dose in DOSES:
        table: dict[str, list] = {}
        for seed in range(seeds):
            rng = np.random.default_rng([777, seed])
            drawn = [expected_spectra(draw_scene(rng), response, rng) for _ in range(n)]
            expected, truth = map(np.stack, zip(*drawn, strict=True))
            scale = dose / expected.sum(axis=1, keepdims=True)
            counts, truth = rng.poisson(scale * expected), scale * truth
            for name, (spectra, result) in found_by_all(counts, acquisition).items():
                told = coverage(result, truth) if result is not None else (np.nan,) * 2
                table.setdefault(name, []).append((nmse(spectra, truth), *told))
        for name, rows in table.items():
            errors, one, two = zip(*rows, strict=True)
            held = (
                ""
                if np.isnan(one[0])
                else f"{np.median(one):5.1f} {np.median(two):5.1f}"
            )
            print(f"{dose:<7g} {name:<16} {spread(errors):<25} {held}", flush=True)


def depth(spectrum: np.ndarray, pair: tuple[float, float]) -> float:
    """How far a spectrum falls between two lines, over the lower; 0 if it is one."""
    first, last = (int(np.rint(energy / CHANNEL)) for energy in sorted(pair))
    if last - first < 2:
        return 0.0
    between = spectrum[first + 1 : last].min()
    return 1 - between / min(spectrum[first], spectrum[last])


def pairs(n: int) -> None:
    """Table of separated pairs, and errors of areas."""
    acquisition = instrument()
    response = XrayResponse.of_detector(acquisition)
    print(
        "\npair            counts   separated (%): truth  auto  RL      area error (%)"
    )
    for name, pair in PAIRS.items():
        for counts in PAIR_COUNTS:
            expected, truth = _pair(pair, counts, acquisition, response)
            data = np.random.default_rng(5).poisson(expected, (n, expected.size))
            found = found_by_all(data, acquisition)
            apart = [100.0 * (depth(truth, pair) > PROMINENT)]
            near = np.abs(acquisition.energy - np.mean(pair)) < NEAR + np.ptp(pair)
            wanted, areas = truth[near].sum(), []
            for method in ("auto", "richardson-lucy"):
                spectra = found[method][0]
                apart.append(
                    100 * np.mean([depth(s, pair) > PROMINENT for s in spectra])
                )
                areas.append(
                    100 * np.median(np.abs(spectra[:, near].sum(1) / wanted - 1))
                )
            told = "".join(f"{share:6.0f}" for share in apart)
            off = "".join(f"{area:9.2f}" for area in areas)
            print(
                f"{name:<15} {counts:<8g} {told:>32}   {off}",
                flush=True,
            )


def _pair(
    pair: tuple[float, float],
    counts: float,
    acquisition: Acquisition,
    response: XrayResponse,
) -> tuple[np.ndarray, np.ndarray]:
    energy, areas = acquisition.energy, np.full(2, counts)
    background = counts / 500 / (energy + 0.5)
    centres = np.array(pair)
    wide = resolution(acquisition.detector, centres)
    narrow = CHANNEL * np.interp(centres, energy, response.target_fwhm)
    return tuple(
        peaks_on_channels(energy, centres, areas, fwhm) + background
        for fwhm in (wide, narrow)
    )


def certified(folder: Path) -> None:
    """Refold deviance and choice for measured spectra."""
    import hyperspy.api as hs

    from hspy_ml.signals.acquisition import acquisition_from_signal

    print("\nmeasured spectrum                  counts  deviance flagged  chosen")
    for path in sorted(folder.glob("*/*.msa")):
        s = hs.load(path, signal_type="EDS_SEM", escape_square_brackets=True)
        if s.data.ndim != 1 or s.data.size == 0:
            continue  # a file that could not be read
        counts = s.data[None]
        acquisition = acquisition_from_signal(s, "auto")
        prepared = prepare_xray_deconvolution(counts, acquisition)
        found = prepared.apply(counts)
        name = f"{path.parent.name}/{path.stem}"
        print(
            f"{name:<34} {counts.sum():<8.2g} {found.deviance[0]:<8.2f} "
            f"{found.flagged[0]!s:<8} {prepared.choice.method}",
            flush=True,
        )


def speed() -> None:
    """Spectra per second, one thread."""
    acquisition = instrument()
    response = XrayResponse.of_detector(acquisition)
    rng = np.random.default_rng(0)
    expected = expected_spectra(draw_scene(rng), response, rng)[0]
    print("\ncounts   spectra per second: auto, Richardson-Lucy")
    for dose in (100, 1e4, 1e6):
        counts = rng.poisson(dose * expected, (128, expected.size))
        told = []
        for method in ("auto", "richardson-lucy"):
            prepared = prepare_xray_deconvolution(counts, acquisition, method=method)
            started = time.perf_counter()
            prepared.apply(counts)
            told.append(len(counts) / (time.perf_counter() - started))
        print(f"{dose:<8g} {told[0]:6.0f} {told[1]:6.0f}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n", type=int, default=40, help="spectra of a seed")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--nist", type=Path, default=NIST)
    options = parser.parse_args()
    torch.set_num_threads(1)
    if "specimens" in options.parts:
        random_specimens(options.n, options.seeds)
    if "pairs" in options.parts:
        pairs(min(options.n, 16))
    if "speed" in options.parts:
        speed()
    if "nist" in options.parts and options.nist.exists():
        certified(options.nist)
    elif "nist" in options.parts:
        print(f"\n{options.nist} is not there: no measured spectra.", file=sys.stderr)


if __name__ == "__main__":
    main()
