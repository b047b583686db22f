# SPDX-License-Identifier: GPL-3.0-or-later
"""How well phases are recovered at few counts, beside other methods.

    python benchmarks/recovery.py --counts 18 --seeds 3 --methods ours,sklearn

Every seed is another scene with other noise; with ``--same-scene`` the seeds are
those of the algorithms only.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from methods import METHODS
from scenes import SIMULATORS, Scene
from scores import score

SLOW_METHODS = ("espm", "espm-tutorial")
FIGURES = ("nmse", "angle", "at_percent", "seconds", "n_iterations")


@dataclass(frozen=True)
class Trial:
    """One method on one scene."""

    simulator: str
    counts: float
    seed: int
    method: str
    nmse: float
    angle: float
    at_percent: float
    seconds: float
    n_iterations: int


def main() -> None:
    """Run the trials that were asked for, and print the tables."""
    options = _options()
    trials = []
    for trial in run(options):
        trials.append(trial)
        print(trial, file=sys.stderr, flush=True)
        if options.output:
            write(trials, options.output)
    print(table(trials))
    print(aims(trials))


def run(options: argparse.Namespace) -> Iterator[Trial]:
    """Yield the trials one by one."""
    for simulator in options.simulator:
        for counts in options.counts:
            for seed in range(options.seeds):
                scene = SIMULATORS[simulator](counts, 0 if options.same_scene else seed)
                for method in options.methods:
                    if method in SLOW_METHODS and seed >= options.slow_seeds:
                        continue
                    yield try_method(simulator, counts, seed, method, scene)


def try_method(
    simulator: str, counts: float, seed: int, method: str, scene: Scene
) -> Trial:
    """Run and score one method."""
    start = time.perf_counter()
    estimate = METHODS[method](scene, seed)
    seconds = time.perf_counter() - start
    return Trial(
        simulator,
        counts,
        seed,
        method,
        **asdict(score(estimate, scene)),
        seconds=seconds,
        n_iterations=estimate.n_iterations,
    )


def table(trials: list[Trial]) -> str:
    """Median and worst of each figure."""
    lines = [
        "| simulator | counts | method | seeds | NMSE median / worst "
        "| angle median / worst | at.% median / worst | seconds | iterations |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for (simulator, counts, method), group in _groups(trials).items():
        median, worst = (
            [statistic([getattr(t, f) for t in group]) for f in FIGURES]
            for statistic in (np.median, np.max)
        )
        lines.append(
            f"| {simulator} | {counts:g} | {method} | {len(group)} "
            f"| {median[0]:.3f} / {worst[0]:.3f} | {median[1]:.1f} / {worst[1]:.1f} "
            f"| {median[2]:.2f} / {worst[2]:.2f} | {median[3]:.1f} | {median[4]:.0f} |"
        )
    return "\n".join(lines)


def aims(trials: list[Trial]) -> str:
    """Ours beside what it should reach, NMSE in units of the oracle's."""
    groups = _groups(trials)
    lines = ["", "ours: at.%, angle, NMSE / oracle's: median (worst)"]
    for (simulator, counts, method), group in groups.items():
        oracles = groups.get((simulator, counts, "oracle"))
        if method != "ours" or oracles is None:
            continue
        ratio = [t.nmse / o.nmse for t, o in zip(group, oracles, strict=True)]
        figures = ([t.at_percent for t in group], [t.angle for t in group], ratio)
        reached = [f"{np.median(f):.2f} ({np.max(f):.2f})" for f in figures]
        aim = _AIMS.get(counts, "none")
        lines.append(f"{simulator} {counts:g}: {', '.join(reached)}; aim: {aim}")
    return "\n".join(lines)


_AIMS = {
    18.0: "at.% <= 1.6 (worst 2.0), angle <= 12, NMSE ratio < 1",
    74.0: "at.% <= 1.0, NMSE ratio <= 1.5",
    293.0: "at.% <= 0.5, NMSE ratio <= 1.3",
}


def write(trials: list[Trial], path: Path) -> None:
    """Write all trials to a file of comma-separated values."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(asdict(trials[0])))
        writer.writeheader()
        writer.writerows(asdict(trial) for trial in trials)


def _groups(trials: list[Trial]) -> dict[tuple[str, float, str], list[Trial]]:
    groups: dict[tuple[str, float, str], list[Trial]] = {}
    for trial in trials:
        key = (trial.simulator, trial.counts, trial.method)
        groups.setdefault(key, []).append(trial)
    return groups


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--simulator", type=_list_of(str), default=list(SIMULATORS), help="espm,own")
    add("--counts", type=_list_of(float), default=[18.0, 74.0, 293.0])
    add("--methods", type=_list_of(str), default=list(METHODS), help=",".join(METHODS))
    add("--seeds", type=int, default=10)
    add("--slow-seeds", type=int, default=10, help="seeds of espm, which is slow")
    add("--same-scene", action="store_true", help="seeds of the algorithms only")
    add("--output", type=Path, help="file of comma-separated values")
    return parser.parse_args()


def _list_of(kind: type):
    return lambda text: [kind(item) for item in text.split(",")]


if __name__ == "__main__":
    main()
