# SPDX-License-Identifier: GPL-3.0-or-later
"""Low-loss spectra without the response: ways beside each other, truth known.

    python benchmarks/deconvolution.py
    python benchmarks/deconvolution.py --sets "vib medium" plasmon --n 50
    python benchmarks/deconvolution.py --methods stopped informed blind

Methods: ``measured`` (aligned, nothing else), exspy's Richardson-Lucy of 15 and 50
iterations and Fourier-ratio deconvolution, Wiener's filter, ``stopped``
(Richardson-Lucy by count splitting) - all with the true response and alignment -,
``informed`` and ``blind`` (ours, which estimates noise and alignment, with the true
response and without).

Columns: squared error of the loss region over the truth's energy (mean, median), F1
and false peaks per spectrum, median error of peak areas in %, share of the channels of
the loss region within one and 1.96 standard errors in %, reduced deviance of the
refolded result, share of flagged spectra; among those worse than 1.2 times ``stopped``
and among the others.
"""

from __future__ import annotations

import argparse
import logging
import time
import warnings

import numpy as np
from deconvolution_methods import METHODS, Restored

from hspy_ml.deconvolution.scores import Scores, interval_coverage, loss_region, score
from hspy_ml.simulation.low_loss_readout import LowLossSpectra
from hspy_ml.simulation.low_loss_test_sets import TEST_SETS, test_set

USUAL = [name for name in METHODS if name != "informed-rl"]
COLUMNS = (
    "NMSE",
    "median",
    "F1",
    "false",
    "area %",
    "68 %",
    "95 %",
    "deviance",
    "flagged",
    "worse",
    "others",
    "s",
)
WORSE = 1.2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--sets", nargs="*", default=list(TEST_SETS), metavar="set")
    add("--methods", nargs="*", default=USUAL, metavar="method")
    add("--n", type=int, default=100, help="spectra of each set")
    add("--seed", type=int, default=0)
    return parser


def main() -> None:
    """Print one table for each set."""
    parser = _parser()
    options = parser.parse_args()
    unknown = [m for m in options.methods if m not in METHODS]
    unknown += [s for s in options.sets if s not in TEST_SETS]
    if unknown:
        parser.error(f"no {unknown[0]!r}; there are {[*METHODS]} and {[*TEST_SETS]}")
    _quiet()
    for name in options.sets:
        made = test_set(name, options.n, options.seed)
        print(f"\n## {name}: {options.n} spectra, seed {options.seed}\n")
        print("| method | " + " | ".join(COLUMNS) + " |")
        print("| --- |" + " --- |" * len(COLUMNS))
        reference = None
        for method in options.methods:
            started = time.perf_counter()
            try:
                restored = METHODS[method](made)
            except Exception as error:  # a peer that fails is a row, not an end
                print(f"| {method} | {type(error).__name__}: {error} |", flush=True)
                continue
            seconds = time.perf_counter() - started
            scores = _scores(restored.spectra, made)
            if method == "stopped":
                reference = scores
            row = [*_row(restored, scores, made, reference), f"{seconds:.1f}"]
            print(f"| {method} | " + " | ".join(row) + " |", flush=True)


def response_widths(made: LowLossSpectra) -> np.ndarray:
    """FWHM of the true responses, channels."""
    from hspy_ml.deconvolution.response import Response

    return np.broadcast_to(Response(made.responses).fwhm, len(made.counts))


def _scores(spectra: np.ndarray, made: LowLossSpectra) -> Scores:
    return score(spectra, made.truth, response_widths(made), made.zero_channel)


def _row(
    restored: Restored, scores: Scores, made: LowLossSpectra, reference: Scores | None
) -> list[str]:
    found = scores.summary()
    return [
        f"{found['nmse']:.2g}",
        f"{found['median_nmse']:.2g}",
        f"{found['f1']:.3f}",
        f"{found['false_peaks']:.2f}",
        f"{100 * found['area_error']:.2g}",
        *_coverage(restored, made),
        _deviance(restored, made),
        *_flags(restored, scores, reference),
    ]


def _coverage(restored: Restored, made: LowLossSpectra) -> list[str]:
    if restored.errors is None:
        return ["", ""]
    shares = []
    for width in (1.0, 1.96):
        of_spectra = [
            interval_coverage(
                restored.spectra[[i], first:],
                restored.errors[[i], first:],
                made.truth[[i], first:],
                width,
            )[0]
            for i, first in enumerate(
                loss_region(w, made.zero_channel) for w in response_widths(made)
            )
        ]
        shares.append(f"{100 * np.mean(of_spectra):.0f}")
    return shares


def _deviance(restored: Restored, made: LowLossSpectra) -> str:
    """Median over spectra, by the true noise; and the 5 % and 95 % points."""
    if restored.refolded is None:
        return ""
    variance = made.gain[:, None] ** 2 * made.expected + made.read_noise[:, None] ** 2
    squares = (made.counts - restored.refolded) ** 2 / np.maximum(variance, 1e-6)
    low, middle, high = np.percentile(squares.mean(axis=1), [5, 50, 95])
    return f"{middle:.2f} ({low:.2f}-{high:.2f})"


def _flags(
    restored: Restored, scores: Scores, reference: Scores | None
) -> tuple[str, ...]:
    if restored.flagged is None:
        return "", "", ""
    every = f"{100 * restored.flagged.mean():.0f} %"
    if reference is None:
        return every, "", ""
    worse = scores.nmse > WORSE * reference.nmse
    return every, _share(restored.flagged[worse]), _share(restored.flagged[~worse])


def _share(flags: np.ndarray) -> str:
    return f"{flags.sum()} of {flags.size}"


def _quiet() -> None:
    import hyperspy.api as hs

    hs.preferences.General.show_progressbar = False
    logging.disable(logging.ERROR)
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")


if __name__ == "__main__":
    main()
