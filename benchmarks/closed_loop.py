# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole loop at short dwell: spectrum, phase, next pixel, map.

    python benchmarks/closed_loop.py --seeds 5

A map of labels is measured by dynamic sampling. Each pixel that it asks for gives a
spectrum of a spot of its phase (`phase_spectra`, noise of the detector and 0.1 % ill
spectra included), whose label is found by the likelihood, learned from twelve spots of
each phase at 10 s; unknown spectra are missing. The distortion is the share of wrong
pixels of the reconstruction, against the true map: median over seeds, smallest and
largest.
"""

from __future__ import annotations

import argparse

import numpy as np
from phase_spectra import ILL_PER_S, SCENES, PhaseScene, measured

from hspy_ml.classification.likelihood_classifier import LikelihoodClassifier
from hspy_ml.counts import DenseCounts
from hspy_ml.counts.building import counts_from_array
from hspy_ml.sampling.label_images import draw_label_image_of_density
from hspy_ml.sampling.reconstruction import reconstruct
from hspy_ml.sampling.sampler import DynamicSampler

# scene of spectra, kind, side, boundaries per pixel, share measured
LOOPS = {
    "two-phase 128": ("two-phase", "lamellae", 128, 0.085, 0.15),
    "four-phase 256": ("four-phase", "powder", 256, 0.095, 0.20),
}
ILL = 0.001
SPOTS = 100  # of each phase in a map
BATCH = 4


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--dwells", type=float, nargs="*", default=[10.0, 0.1, 0.03])
    parser.add_argument("--loops", nargs="*", default=list(LOOPS), choices=LOOPS)
    options = parser.parse_args()
    print("| map | dwell (s) | distortion | share of the dose of a 10 s raster |")
    print("| --- | --- | --- | --- |")
    for name in options.loops:
        title, kind, side, density, share = LOOPS[name]
        for dwell in options.dwells:
            wrong = [
                distortion(SCENES[title], kind, side, density, share, dwell, seed)
                for seed in range(options.seeds)
            ]
            low, middle, high = np.quantile(wrong, [0, 0.5, 1])
            print(
                f"| {name}, {share:.0%} | {dwell:g} | {middle:.5f} ({low:.5f} to "
                f"{high:.5f}) | {100 * share * dwell / 10:.2g} % |",
                flush=True,
            )


def distortion(
    scene: PhaseScene,
    kind: str,
    side: int,
    density: float,
    share: float,
    dwell_s: float,
    seed: int,
) -> float:
    """Share of wrong pixels after one closed loop."""
    rng = np.random.default_rng([seed, 11])
    truth = draw_label_image_of_density(
        kind, (side, side), len(scene.names), density, 4000 + seed
    )
    classifier = learned(scene, seed, rng)
    spots, labels = scene.spots(SPOTS, 9000 + seed)
    of_phase = [spots[labels == k + 1] for k in range(len(scene.names))]
    is_ill = rng.random(truth.shape) < ILL
    sampler = DynamicSampler(truth.shape, len(scene.names), random_state=seed)
    n_points = round(share * truth.size)
    positions, found = [], []
    while sampler.n_measured < n_points:
        asked = sampler.next(min(BATCH, n_points - sampler.n_measured))
        spectra = np.array(
            [of_phase[truth[p] - 1][rng.integers(SPOTS)] for p in map(tuple, asked)]
        )
        counts = measured(spectra, dwell_s, rng)
        ill = is_ill[tuple(asked.T)]
        counts[ill] = rng.poisson(ILL_PER_S * dwell_s, counts[ill].shape)
        got = classifier.classify(DenseCounts(counts), num_workers=1).labels
        sampler.update(asked, got)
        positions.append(asked)
        found.append(got)
    image = reconstruct(truth.shape, np.concatenate(positions), np.concatenate(found))
    return float(np.mean(image != truth))


def learned(
    scene: PhaseScene, seed: int, rng: np.random.Generator
) -> LikelihoodClassifier:
    """The likelihood from twelve spots of each phase at 10 s."""
    spots, labels = scene.spots(12, seed)
    counts = counts_from_array(measured(spots, 10.0, rng))
    return LikelihoodClassifier.from_spectra(counts, labels, scene.names)


if __name__ == "__main__":
    main()
