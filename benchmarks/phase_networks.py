# SPDX-License-Identifier: GPL-3.0-or-later
"""Phases by networks: the published ones and the default, beside the likelihood.

    python benchmarks/phase_networks.py accuracy unknown crossing speed
    python benchmarks/phase_networks.py crossing --scenes silicides --seeds 0 1 2

- accuracy: misclassified share and expected calibration error, by dwell time;
- unknown: share that is found of spectra of no known phase, false alarms, and the area
  under the curve at 0.1 s;
- crossing: misclassified share where the templates are wrong, of phases whose lines
  overlap or whose compositions are close;
- speed: spectra per second, and seconds of training.

Classifiers see twelve spots of each phase at 10 s; spots of the test are others.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
from phase_spectra import (
    MISMATCHED,
    N_CHANNELS,
    NOMINAL,
    SCENES,
    BEAM_ENERGY_keV,
    Conditions,
    DWELLS_s,
    ENERGY_keV,
    PhaseScene,
    acquisition,
    measured,
)

from hspy_ml.classification.classified import Classified, PhaseClassifier
from hspy_ml.classification.conditions import SpectrumConditions
from hspy_ml.classification.likelihood_classifier import LikelihoodClassifier
from hspy_ml.classification.network_choice import choose_classifier, varied_spectra
from hspy_ml.classification.network_spots import PhaseSpots
from hspy_ml.classification.network_training import train_network_classifier
from hspy_ml.classification.scores import expected_calibration_error
from hspy_ml.classification.seed_models import train_seed_classifier
from hspy_ml.counts import DenseCounts
from hspy_ml.physics.foreign_elements import foreign_element_spectra

PARTS = ("accuracy", "unknown", "crossing", "speed")
N_REFERENCES = 12
DARK = 0.2  # counts of noise per channel and second, in the references too
CONDITIONS = SpectrumConditions(
    "EDS_SEM", ENERGY_keV[0], 0.01, np.ones(N_CHANNELS, bool), BEAM_ENERGY_keV
)

_SILICIDES = {"WSi2": {"W": 1, "Si": 2}, "TaSi2": {"Ta": 1, "Si": 2}, "Si": {"Si": 1}}
_SULFIDES = {
    "PbS": {"Pb": 1, "S": 1},
    "Bi2S3": {"Bi": 2, "S": 3},
    "MoS2": {"Mo": 1, "S": 2},
}
_STEELS = {
    "ferrite": {"Fe": 0.70, "Cr": 0.25, "Ni": 0.05},
    "austenite": {"Fe": 0.71, "Cr": 0.20, "Ni": 0.09},
    "sigma": {"Fe": 0.60, "Cr": 0.35, "Ni": 0.05},
}
#: Phases that are hard to tell apart, 1000 counts per second.
CLOSE = {
    title: PhaseScene(title, phases, {}, 1000.0)
    for title, phases in (
        ("silicides", _SILICIDES),
        ("sulfides", _SULFIDES),
        ("steels", _STEELS),
    )
}
CROSSING = {
    "as the references": NOMINAL,
    **{f"energy scale {o:g} eV off": replace(NOMINAL, offset_eV=o) for o in (2, 5, 10)},
    "energy scale 20 eV off": replace(NOMINAL, offset_eV=20.0),
    "composition 2 %": MISMATCHED["composition 2 %"],
    "composition 5 %": replace(NOMINAL, composition=0.05),
    "absorption (25 degrees)": MISMATCHED["absorption (25 degrees)"],
    "absorption (20 degrees)": replace(NOMINAL, take_off_angle=20.0),
    "resolution 5 % worse": MISMATCHED["resolution 5 % worse"],
    "all of them": MISMATCHED["all of them"],
}
CROSSING_DWELLS_s = (10.0, 1.0, 0.3)


def main() -> None:
    """Run the parts that were asked for, and print their tables."""
    options = _options()
    for part in (accuracy, unknown, crossing, speed):
        if part.__name__ in (options.parts or PARTS):
            print(f"\n## {part.__name__}\n", flush=True)
            part(options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("parts", nargs="*", metavar="part", help=f"of {', '.join(PARTS)}; all")
    add("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    add("--scenes", nargs="+", choices=[*SCENES, *CLOSE], default=None)
    add("--spots", type=int, default=40, help="of each phase, to test with")
    add("--repeats", type=int, default=25, help="measurements of each spot")
    options = parser.parse_args()
    wrong = set(options.parts) - set(PARTS)
    if wrong:
        parser.error(f"no part {', '.join(sorted(wrong))}; there are {PARTS}")
    return options


def accuracy(options: argparse.Namespace) -> None:
    """Misclassified share and calibration error at the dwell times of the paper."""
    for scene in _scenes(options, SCENES):
        print(f"{scene.title}: misclassified (expected calibration error), median")
        _print_row("dwell", [f"{d:g} s" for d in DWELLS_s])
        for name in CLASSIFIERS:
            cells = []
            for dwell in DWELLS_s:
                found = [_judged(scene, name, s, dwell, options) for s in options.seeds]
                wrong, calibration = np.median(found, axis=0)
                cells.append(f"{wrong:.4f} ({calibration:.4f})")
            _print_row(name, cells)


def unknown(options: argparse.Namespace) -> None:
    """What is found of spectra of no known phase."""
    for scene in _scenes(options, SCENES):
        print(f"{scene.title}: share found at 10 s / area under the curve at 0.1 s")
        kinds = scene.unknown_kinds
        _print_row("", [*kinds, "false alarms 10 s", "if templates off"])
        for name in CLASSIFIERS:
            rows = [_found(scene, name, seed, options) for seed in options.seeds]
            shares, areas, alarms = (
                np.median([row[i] for row in rows], axis=0) for i in range(3)
            )
            pairs = zip(shares, areas, strict=True)
            cells = [f"{share:.3f} / {area:.3f}" for share, area in pairs]
            _print_row(name, [*cells, *(f"{a:.4f}" for a in alarms)])


def crossing(options: argparse.Namespace) -> None:
    """Misclassified share where templates are wrong: likelihood and network."""
    names = ("likelihood", "network")
    for scene in _scenes(options, {**CLOSE, **SCENES}):
        print(f"{scene.title}: misclassified by likelihood / network, median")
        _print_row("", [f"{d:g} s" for d in CROSSING_DWELLS_s])
        for title, conditions in CROSSING.items():
            cells = []
            for dwell in CROSSING_DWELLS_s:
                pairs = [
                    [_judged(scene, n, s, dwell, options, conditions)[0] for n in names]
                    for s in options.seeds
                ]
                one, other = np.median(pairs, axis=0)
                cells.append(f"{one:.4f} / {other:.4f}")
            _print_row(title, cells)
        _print_choices(scene, options.seeds[0])


def speed(options: argparse.Namespace) -> None:
    """Spectra per second at 0.1 s, the best of three, and seconds of training."""
    for scene in _scenes(options, SCENES):
        seed = options.seeds[0]
        counts, _ = _test_spectra(scene, seed, 0.1, options)
        many = DenseCounts(np.tile(counts.values, (10, 1)))
        for name in CLASSIFIERS:
            started = time.perf_counter()
            classifier = CLASSIFIERS[name].__wrapped__(scene, seed)
            training = time.perf_counter() - started
            classifier.classify(counts)
            rate = max(_rate(classifier, many) for _ in range(3))
            print(
                f"{scene.title}, {name}: {rate:.0f} per s, trained in {training:.1f} s"
            )


def _rate(classifier: PhaseClassifier, counts: DenseCounts) -> float:
    started = time.perf_counter()
    classifier.classify(counts)
    return counts.n_pixels / (time.perf_counter() - started)


@cache
def _likelihood(scene: PhaseScene, seed: int) -> PhaseClassifier:
    counts, labels = _references(scene, seed)
    return LikelihoodClassifier.from_spectra(
        counts,
        labels,
        scene.names,
        alternatives=_other_elements(scene),
        random_state=seed,
    )


@cache
def _network(scene: PhaseScene, seed: int) -> PhaseClassifier:
    spots = PhaseSpots.from_spectra(*_references(scene, seed), scene.names)
    return train_network_classifier(
        spots, CONDITIONS, alternatives=_other_elements(scene), random_state=seed
    )


@cache
def _seed_networks(scene: PhaseScene, seed: int) -> PhaseClassifier:
    """The noise that the training adds is that of the measurement."""
    expected, labels = scene.spots(N_REFERENCES, seed)
    rng = np.random.default_rng([seed, 8])
    counts = DenseCounts(rng.poisson(expected * DWELLS_s[0]))
    return train_seed_classifier(counts, labels, scene.names, random_state=seed)


CLASSIFIERS: dict[str, Callable[[PhaseScene, int], PhaseClassifier]] = {
    "likelihood": _likelihood,
    "network": _network,
    "seed's networks": _seed_networks,
}


@cache
def _other_elements(scene: PhaseScene) -> np.ndarray:
    elements = {e for atoms in scene.phases.values() for e in atoms}
    return foreign_element_spectra(acquisition(), sorted(elements))


@cache
def _references(scene: PhaseScene, seed: int) -> tuple[DenseCounts, np.ndarray]:
    expected, labels = scene.spots(N_REFERENCES, seed)
    rng = np.random.default_rng([seed, 9])
    return DenseCounts(measured(expected, DWELLS_s[0], rng)), labels


@cache
def _test_spots(
    scene: PhaseScene, seed: int, n: int, conditions: Conditions
) -> tuple[np.ndarray, np.ndarray]:
    return scene.spots(n, 1000 + seed, conditions)


def _test_spectra(
    scene: PhaseScene,
    seed: int,
    dwell_s: float,
    options: argparse.Namespace,
    conditions: Conditions = NOMINAL,
) -> tuple[DenseCounts, np.ndarray]:
    expected, labels = _test_spots(scene, seed, options.spots, conditions)
    rng = np.random.default_rng([seed, 10, int(1000 * dwell_s)])
    values = [measured(expected, dwell_s, rng) for _ in range(options.repeats)]
    return DenseCounts(np.concatenate(values)), np.tile(labels, options.repeats)


def _judged(
    scene: PhaseScene,
    name: str,
    seed: int,
    dwell_s: float,
    options: argparse.Namespace,
    conditions: Conditions = NOMINAL,
) -> tuple[float, float]:
    """Misclassified share, whether known or not, and calibration error."""
    counts, labels = _test_spectra(scene, seed, dwell_s, options, conditions)
    found = CLASSIFIERS[name](scene, seed).classify(counts)
    error = expected_calibration_error(found.probabilities, labels)
    return float(np.mean(found.best != labels)), error


def _found(
    scene: PhaseScene, name: str, seed: int, options: argparse.Namespace
) -> tuple[list[float], list[float], list[float]]:
    """Shares found at 10 s, areas at 0.1 s, and false alarms at 10 s."""
    classifier = CLASSIFIERS[name](scene, seed)
    rng = np.random.default_rng([seed, 11])
    ordinary = _classified(scene, classifier, seed, 0.1, options).oddness
    shares, areas = [], []
    for kind in scene.unknown_kinds:
        expected = scene.unknown_spots(kind, options.spots, 1000 + seed)
        long = _repeated(classifier, expected, 10.0, 2, rng)
        shares.append(float(np.mean(~long.is_known)))
        short = _repeated(classifier, expected, 0.1, options.repeats, rng)
        areas.append(_area(ordinary, short.oddness))
    alarms = [
        float(np.mean(~_classified(scene, classifier, seed, 10.0, options, c).is_known))
        for c in (NOMINAL, MISMATCHED["all of them"])
    ]
    return shares, areas, alarms


def _classified(
    scene: PhaseScene,
    classifier: PhaseClassifier,
    seed: int,
    dwell_s: float,
    options: argparse.Namespace,
    conditions: Conditions = NOMINAL,
) -> Classified:
    counts, _ = _test_spectra(scene, seed, dwell_s, options, conditions)
    return classifier.classify(counts)


def _repeated(
    classifier: PhaseClassifier,
    expected: np.ndarray,
    dwell_s: float,
    n: int,
    rng: np.random.Generator,
) -> Classified:
    values = np.concatenate([measured(expected, dwell_s, rng) for _ in range(n)])
    return classifier.classify(DenseCounts(values))


def _area(ordinary: np.ndarray, odd: np.ndarray) -> float:
    """Probability that an odd spectrum looks odder than an ordinary one."""
    both = np.concatenate([ordinary, odd])
    _, place, number = np.unique(both, return_inverse=True, return_counts=True)
    rank = (np.cumsum(number) - (number - 1) / 2)[place]
    n, m = ordinary.size, odd.size
    return float((rank[n:].sum() - m * (m + 1) / 2) / (n * m))


def _print_choices(scene: PhaseScene, seed: int) -> None:
    """What the arbitration says of spectra as another session could measure them."""
    spots = PhaseSpots.from_spectra(*_references(scene, seed), scene.names)
    pair = _likelihood(scene, seed), _network(scene, seed)
    for dwell in CROSSING_DWELLS_s:
        counts = (scene.counts_per_s + DARK * N_CHANNELS) * dwell
        held_out = varied_spectra(spots, CONDITIONS, counts, random_state=seed)
        print(choose_classifier(*pair, *held_out).reason)


def _scenes(
    options: argparse.Namespace, scenes: dict[str, PhaseScene]
) -> list[PhaseScene]:
    wanted = options.scenes or list(scenes)
    return [scene for title, scene in scenes.items() if title in wanted]


def _print_row(title: str, cells: list[str]) -> None:
    print(f"{title:24s} " + " ".join(f"{cell:>17s}" for cell in cells), flush=True)


if __name__ == "__main__":
    main()
