# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the model of doubt that comes with the package.

    python -m hspy_ml.sampling.distortion_default [FILE]

Images of all kinds with many densities of boundaries, half of them with rough outlines
and specks, are measured by the package's regressor, some by the rule without training
or in static patterns. For each kind a network is trained without it and judges it; the
law is trained on these judgements, so that it holds on kinds that were never seen, and
the spread is what is left on a kind that neither network nor law has seen. The network
of the model has seen all. Prints the spread. The same regressor gives the same file:
train anew when it changes. Takes about five minutes on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.special import ndtri

from .choice import Chooser
from .distortion import CLUSTER
from .distortion_law import CourseExamples, course_of_run, join_courses, train_law
from .distortion_model import DEFAULT_FILE, DoubtModel, DoubtNetwork
from .distortion_training import (
    DoubtExamples,
    examples_of_run,
    join_examples,
    train_network,
)
from .label_images import KINDS, SMOOTH, Texture, draw_label_image_of_density
from .patterns import low_discrepancy_pattern, random_pattern
from .reconstruction import labels_on_map
from .regressor import Regressor, default_regressor

__all__ = [
    "SampledImage",
    "assembled",
    "draw_sampled_images",
    "measuring_order",
    "train_default",
]

N_IMAGES = 22
"""Of each kind."""
SEED = 20_261_125
SIDES, OFTEN = (96, 128, 192, 256), (0.25, 0.5, 0.17, 0.08)
DENSITIES = (0.02, 0.15)
N_PHASES = (2, 5)
ROUGHNESS, LENGTHS = (0.3, 1.3), (2.0, 6.0)
SPECK_SIZES, SHARE_OF_SPECKS = (3.0, 7.0), (0.0, 0.1, 0.3, 0.5)
"""Pixels, from and to; and what of the boundaries is that of specks."""
SHARES = (0.5, 1.9)
"""Shares of the pixels at which maps are judged, over the density of boundaries: from
a coarse map to one with hardly an error."""
N_MOMENTS = 6
"""At which pixels are taken from a map."""
GROWTH = (1.03, 1.12)
"""Of the number of measurements, between two looks at a map as a whole."""
JUDGED = (0.003, 0.03)
"""Estimates that the spread is to hold for."""
KEPT = 0.25
"""Share of the pixels of a map that is kept."""


class SampledImage(NamedTuple):
    """An image, and the order in which its pixels are measured.

    Attributes
    ----------
    truth : ndarray of int16, shape (n_rows, n_columns)
    order : ndarray of int64, shape (n_measured, 2)
    density : float
        Boundaries per pixel.
    """

    truth: np.ndarray
    order: np.ndarray
    density: float


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


def draw_sampled_images(
    kind: str, n_images: int, rng: np.random.Generator
) -> list[SampledImage]:
    """Images of one kind, most of them measured by the package's regressor.

    Parameters
    ----------
    kind : str
        See :func:`hspy_ml.sampling.label_images.draw_label_image`.
    n_images : int
    rng : numpy.random.Generator

    Returns
    -------
    list of SampledImage
    """
    images = []
    for _ in range(n_images):
        side = int(rng.choice(SIDES, p=OFTEN))
        density = float(np.exp(rng.uniform(*np.log(DENSITIES))))
        n_phases = int(rng.integers(N_PHASES[0], N_PHASES[1] + 1))
        truth = draw_label_image_of_density(
            kind, (side, side), n_phases, density, rng, texture=_texture(density, rng)
        )
        n_points = round(SHARES[1] * density * truth.size)
        order = _order(truth, n_points, rng)
        images.append(SampledImage(truth, order, density))
    return images


def _order(truth: np.ndarray, n_points: int, rng: np.random.Generator) -> np.ndarray:
    """By the package's regressor, the rule, at random, in a pattern."""
    how = rng.choice(4, p=[0.82, 0.04, 0.07, 0.07])
    if how == 3:
        return low_discrepancy_pattern(truth.shape, n_points, rng)
    sampler = (default_regressor(), Regressor.from_rule(), None)[how]
    return measuring_order(truth, sampler, n_points, rng)


def _texture(density: float, rng: np.random.Generator) -> Texture:
    if rng.random() < 0.5:
        return SMOOTH
    size = rng.uniform(*SPECK_SIZES)
    specks = rng.choice(SHARE_OF_SPECKS) * density / (4 * size)
    return Texture(rng.uniform(*ROUGHNESS), rng.uniform(*LENGTHS), specks, size)


def train_default(
    kinds: Sequence[str] = tuple(KINDS), n_images: int = N_IMAGES, seed: int = SEED
) -> DoubtModel:
    """Train the package's model.

    Parameters
    ----------
    kinds : sequence of str
        Of the images; two at least.
    n_images : int
        Of each kind.
    seed : int

    Returns
    -------
    DoubtModel
        Its `training` has what is left on each kind when it is left out.
    """
    rng = np.random.default_rng(seed)
    images = {kind: draw_sampled_images(kind, n_images, rng) for kind in kinds}
    pixels = {kind: _pixels(images[kind], rng) for kind in kinds}
    courses = {}
    for kind in kinds:
        others = join_examples(pixels[other] for other in kinds if other != kind)
        model = DoubtModel(train_network(others, random_state=seed))
        courses[kind] = join_courses(_course(im, model, rng) for im in images[kind])
    network = train_network(join_examples(pixels.values()), random_state=seed)
    return assembled(network, courses, {"seed": seed, "n_images_of_a_kind": n_images})


def assembled(
    network: DoubtNetwork, courses: dict[str, CourseExamples], training: dict
) -> DoubtModel:
    """The model of a network, and of what networks say of kinds they have not seen.

    Parameters
    ----------
    network : DoubtNetwork
    courses : dict of str to CourseExamples
        Of each kind, with chances of a network that was trained without it.
    training : dict
        For the card.

    Returns
    -------
    DoubtModel
        With a spread that has nine tenths of the distortions within the interval of
        0.9, on kinds that neither network nor law has seen.
    """
    rests = {kind: _left_out(kind, courses) for kind in courses}
    rest, expected = (
        np.concatenate(part) for part in zip(*rests.values(), strict=True)
    )
    needed = (rest / ndtri(0.95)) ** 2 - CLUSTER / expected
    spread = np.sqrt(np.quantile(np.maximum(needed, 0.0), 0.9))
    told = {
        kind: np.quantile(rest, [0.05, 0.16, 0.5, 0.84, 0.95]).round(3).tolist()
        for kind, (rest, _) in rests.items()
    }
    return DoubtModel(
        network,
        train_law(join_courses(courses.values())),
        round(float(spread), 3),
        {**training, "left_out_quantiles_5_16_50_84_95": told},
    )


def _left_out(
    kind: str, courses: dict[str, CourseExamples]
) -> tuple[np.ndarray, np.ndarray]:
    """Logarithm of truth over estimate, and the wrong pixels of the estimate."""
    law = train_law(join_courses(courses[k] for k in courses if k != kind))
    course = courses[kind]
    estimate = course.expected * law.correction(course.features)
    share = estimate / course.n_pixels
    judged = (share > JUDGED[0]) & (share < JUDGED[1])
    wrong = np.maximum(course.wrong[judged], 0.5)
    return np.log(wrong / estimate[judged]), estimate[judged]


def _pixels(images: list[SampledImage], rng: np.random.Generator) -> DoubtExamples:
    parts = []
    for image in images:
        shares = image.density * np.exp(rng.uniform(*np.log(SHARES), size=N_MOMENTS))
        found = examples_of_run(image.truth, image.order, shares, rng)
        kept = rng.random(found.wrong.size) < KEPT
        parts.append(
            DoubtExamples(found.features[kept], found.wrong[kept], found.counts[kept])
        )
    return join_examples(parts)


def _course(
    image: SampledImage, model: DoubtModel, rng: np.random.Generator
) -> CourseExamples:
    shares = [max(SHARES[0] * image.density, 0.011)]
    while shares[-1] < SHARES[1] * image.density:
        shares.append(shares[-1] * rng.uniform(*GROWTH))
    return course_of_run(image.truth, image.order, model, shares)


def main() -> None:
    """Train, write the file, and say what is left on kinds left out."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = Path(__file__).parent / DEFAULT_FILE
    parser.add_argument("file", nargs="?", type=Path, default=here)
    model = train_default()
    model.save(parser.parse_args().file, overwrite=True)
    print("log of the true distortion over the estimate, on a kind left out,")
    print(f"estimates {JUDGED[0]} to {JUDGED[1]}: quantiles 5, 16, 50, 84, 95 %")
    for kind, told in model.training["left_out_quantiles_5_16_50_84_95"].items():
        print(f"{kind:>16}: {' '.join(f'{q:+.2f}' for q in told)}")
    print(f"spread {model.spread:.2f}")


if __name__ == "__main__":
    main()
