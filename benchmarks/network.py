# SPDX-License-Identifier: GPL-3.0-or-later
"""What the network's compositions are worth, beside other methods and the limit.

    python benchmarks/network.py accuracy robustness foreign speed minerals
    python benchmarks/network.py accuracy --side 16 --counts 100 --without network

- accuracy: Al, Ti, V and Fe in a thin film, beside the likelihood, windows with
  Cliff-Lorimer, principal components, least squares and the bounds;
- robustness: the same, energy scale and resolution not what the metadata say;
- foreign: an element that is not named;
- speed: spectra per second, beside exspy;
- minerals: NIST's glasses, thinned.
"""

from __future__ import annotations

import argparse
import logging
import os
import time
import warnings
from pathlib import Path

PARTS = ("accuracy", "robustness", "foreign", "speed", "minerals")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; all")
    add("--without", nargs="*", default=[], metavar="method", help="methods to skip")
    add("--counts", type=_numbers, default=[30.0, 100.0, 300.0, 1000.0, 3000.0])
    add("--side", type=int, default=48, help="pixels along each side of a scene")
    add("--detector", default="windowless", help="or polymer")
    add("--l-lines", type=float, default=0.1, help="error of theory, accuracy")
    add("--bayes-draws", type=int, default=20000, help="of the prior; 0 leaves it out")
    add("--robust-counts", type=_numbers, default=[100.0, 1000.0])
    add("--foreign", default=None, help="elements, with commas")
    add("--foreign-share", type=_numbers, default=[0.10, 0.30], help="of the atoms")
    add("--known", type=int, default=1000, help="known mixtures for each element")
    add("--unknown", type=int, default=200, help="spectra with the foreign element")
    add("--speed-side", type=int, default=256)
    add("--draws", type=int, default=200, help="of each glass")
    add("--glass-counts", type=_numbers, default=[300.0, 1000.0, 10000.0])
    add("--data", type=Path, default=Path("../shared/data"))
    add("--seed", type=int, default=0)
    return parser


def _numbers(text: str) -> list[float]:
    return [float(number) for number in text.split(",")]


def main() -> None:
    """Run the parts that were asked for, and print their tables."""
    parser = _parser()
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {PARTS}")
    _quiet()
    from network_accuracy import accuracy, robustness
    from network_foreign import foreign
    from network_minerals import minerals
    from network_speed import speed

    for part in (accuracy, robustness, foreign, speed, minerals):
        if part.__name__ in (options.parts or PARTS):
            started = time.perf_counter()
            load = ", ".join(f"{n:.1f}" for n in os.getloadavg())
            print(f"\n## {part.__name__} ({os.cpu_count()} cores, load {load})\n")
            part(options)
            print(f"\n{time.perf_counter() - started:.0f} s", flush=True)


def _quiet() -> None:
    import hyperspy.api as hs

    hs.preferences.General.show_progressbar = False
    logging.disable(logging.ERROR)
    warnings.simplefilter("ignore")


if __name__ == "__main__":
    main()
