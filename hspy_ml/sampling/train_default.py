# SPDX-License-Identifier: GPL-3.0-or-later
"""Make the regressor that comes with the package.

    python -m hspy_ml.sampling.train_default [FILE]

It is trained on images of four kinds (smooth and rough random fields, grains,
precipitates) of two to four phases and of three densities of boundaries, half of them
with smooth outlines, half with roughness and specks of all sizes; lamellae and powders
are left for tests. Takes one or two minutes on one core.
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path

import numpy as np

from .label_images import SMOOTH, Texture, draw_label_image_of_density
from .regressor import DEFAULT_FILE, Regressor
from .training_network import train_network

__all__ = ["TRAINING_KINDS", "training_images", "train_default"]

TRAINING_KINDS = ("fields", "rough fields", "grains", "precipitates")
SIZES = ((128, 0.085, 0.18), (192, 0.095, 0.22), (384, 0.026, 0.06))
"""Side in pixels, boundaries per pixel, and share up to which it is sampled."""

N_ROUNDS = 2
ROUGHNESS = (0.3, 1.3)
LENGTHS = (2.0, 6.0)
SPECK_SIZES = (3.0, 7.0)
SHARES_OF_SPECKS = (0.0, 0.1, 0.3, 0.5)
"""Pixels, from and to; and what of the boundaries is that of specks."""

N_NEIGHBOURS = 6
SEED = 20_261_125


def training_images() -> tuple[list[np.ndarray], list[float]]:
    """The images that the package's regressor is trained on.

    Returns
    -------
    images : list of ndarray of int16
        Labels.
    last_shares : list of float
        Share of the pixels up to which each is sampled.
    """
    rng = np.random.default_rng(SEED)
    images, shares = [], []
    for n in range(N_ROUNDS):
        for (side, density, share), (number, kind) in product(
            SIZES, enumerate(TRAINING_KINDS)
        ):
            for n_phases in (2, 3 + number % 2):
                is_smooth = (n_phases == 2) == ((number + n) % 2 == 0)
                texture = SMOOTH if is_smooth else _texture(density, rng)
                images.append(
                    draw_label_image_of_density(
                        kind, (side, side), n_phases, density, rng, texture=texture
                    )
                )
                shares.append(share)
    return images, shares


def _texture(density: float, rng: np.random.Generator) -> Texture:
    size = rng.uniform(*SPECK_SIZES)
    specks = rng.choice(SHARES_OF_SPECKS) * density / (4 * size)
    return Texture(rng.uniform(*ROUGHNESS), rng.uniform(*LENGTHS), specks, size)


def train_default(n_neighbours: int = N_NEIGHBOURS) -> Regressor:
    """Train the package's regressor.

    Parameters
    ----------
    n_neighbours : int, default 6
        L, how many of the nearest measurements the features are from. With 10 the
        distortion is the same, and choosing takes twice the time.

    Returns
    -------
    Regressor
    """
    images, shares = training_images()
    return train_network(images, shares, n_neighbours=n_neighbours, random_state=SEED)


def main() -> None:
    """Train, and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    here = Path(__file__).parent / DEFAULT_FILE
    parser.add_argument("file", nargs="?", type=Path, default=here)
    parser.add_argument("--neighbours", type=int, default=N_NEIGHBOURS)
    options = parser.parse_args()
    train_default(options.neighbours).save(options.file, overwrite=True)


if __name__ == "__main__":
    main()
