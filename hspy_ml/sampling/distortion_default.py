# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the model of doubt that comes with the package.

    python -m hspy_ml.sampling.distortion_default [FILE]

It is trained on images of six kinds with many densities of boundaries, measured by
the package's regressor, by the rule without training, and at random. Takes about four
minutes on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from .choice import Chooser
from .distortion_model import DEFAULT_FILE, DoubtModel
from .distortion_training import (
    DoubtExamples,
    examples_of_run,
    join_examples,
    train_doubt_model,
)
from .label_images import KINDS, draw_label_image_of_density
from .patterns import low_discrepancy_pattern, random_pattern
from .reconstruction import labels_on_map
from .regressor import Regressor, default_regressor

__all__ = ["draw_examples", "measuring_order", "train_default"]

N_IMAGES = 400
SEED = 20_261_125
SIDES, DENSITIES = (128, 192), (0.03, 0.13)
SHARES = (0.6, 1.7)
"""Shares of the pixels at which maps are judged, over the density of boundaries: from
a coarse map to one with hardly an error."""
N_MOMENTS = 6
KEPT = 0.25
"""Share of the pixels of a map that is kept."""
SPREAD = 0.45
"""Of the logarithm of the distortion over its estimate, on kinds left out."""


def measuring_order(
    truth: np.ndarray,
    regressor: Regressor | None,
    n_points: int,
    random_state: int | np.random.Generator | None = None,
) -> np.ndarray:
    """Pixels in the order in which they are measured.

    Parameters
    ----------
    truth : ndarray of int16, shape (n_rows, n_columns)
        Labels from 1.
    regressor : Regressor or None
        That chooses after a start of 1 %; None measures at random.
    n_points : int
    random_state : int or numpy.random.Generator, optional
        Makes the order repeat exactly.

    Returns
    -------
    ndarray of int64, shape (n_points, 2)
        Rows and columns.
    """
    if regressor is None:
        return random_pattern(truth.shape, n_points, random_state)
    n_start = min(max(truth.size // 100, 2), n_points)
    start = low_discrepancy_pattern(truth.shape, n_start, random_state)
    known = labels_on_map(truth.shape, start, truth[tuple(start.T)])
    chooser = Chooser(known, known == 0, regressor)
    places = chooser.replay(truth, n_points - n_start)
    return np.vstack([start, np.column_stack(np.divmod(places, truth.shape[1]))])


def draw_examples(
    kinds: Sequence[str] = tuple(KINDS), n_images: int = N_IMAGES, seed: int = SEED
) -> DoubtExamples:
    """Pixels of many images and moments.

    Parameters
    ----------
    kinds : sequence of str
        See :func:`hspy_ml.sampling.label_images.draw_label_image`; in turn.
    n_images : int
    seed : int

    Returns
    -------
    DoubtExamples
    """
    rng = np.random.default_rng(seed)
    samplers = (default_regressor(), Regressor.from_rule(), None)
    parts = []
    for n in range(n_images):
        truth, density = _image(kinds[n % len(kinds)], rng)
        shares = density * np.exp(rng.uniform(*np.log(SHARES), size=N_MOMENTS))
        n_points = round(shares.max() * truth.size)
        sampler = samplers[rng.choice(3, p=[0.85, 0.05, 0.1])]
        order = measuring_order(truth, sampler, n_points, rng)
        parts.append(_thinned(examples_of_run(truth, order, shares, rng), rng))
    return join_examples(parts)


def _image(kind: str, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    side = int(rng.choice(SIDES, p=[0.75, 0.25]))
    density = float(np.exp(rng.uniform(*np.log(DENSITIES))))
    n_phases = int(rng.integers(2, 5))
    image = draw_label_image_of_density(kind, (side, side), n_phases, density, rng)
    return image, density


def _thinned(examples: DoubtExamples, rng: np.random.Generator) -> DoubtExamples:
    kept = rng.random(examples.wrong.size) < KEPT
    return DoubtExamples(
        examples.features[kept], examples.wrong[kept], examples.counts[kept]
    )


def train_default(kinds: Sequence[str] = tuple(KINDS)) -> DoubtModel:
    """Train the package's model.

    Parameters
    ----------
    kinds : sequence of str
        Of the images.

    Returns
    -------
    DoubtModel
    """
    return train_doubt_model(
        draw_examples(kinds),
        spread=SPREAD,
        random_state=SEED,
        kinds=list(kinds),
        n_images=N_IMAGES,
    )


def main() -> None:
    """Train, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = Path(__file__).parent / DEFAULT_FILE
    parser.add_argument("file", nargs="?", type=Path, default=here)
    train_default().save(parser.parse_args().file, overwrite=True)


if __name__ == "__main__":
    main()
