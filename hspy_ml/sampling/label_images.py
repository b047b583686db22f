# SPDX-License-Identifier: GPL-3.0-or-later
"""Example images of labels: what maps of phases look like, to train and to test on.

An image holds the labels 1 to the number of phases (0 is kept for "no phase"). Its
length scale sets how many boundaries it has, and a wanted number of boundaries the
scale. Its outlines are smooth, or as rough as those of a segmented micrograph, with
specks of other phases here and there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

__all__ = [
    "KINDS",
    "SMOOTH",
    "Texture",
    "boundary_density",
    "draw_label_image",
    "draw_label_image_of_density",
]

SCALE = 16.0  # pixels
TOLERANCE = 0.01  # of the wanted density
MAX_TRIALS = 12
SPECK_SPREAD = 0.4  # standard deviation of the logarithm of their diameters


class Texture(NamedTuple):
    """What is fine in an image of labels.

    Attributes
    ----------
    roughness : float
        Root mean square of the random displacement of the outlines, along rows and
        along columns; pixels. Segmented micrographs have 0.5 to 1.5.
    length : float
        Over which the displacement is correlated, pixels.
    specks : float
        Specks per pixel: small particles of a random phase, of irregular outline.
    speck_size : float
        Their median diameter, pixels; two thirds are within a factor of 1.5 of it.
    """

    roughness: float = 0.0
    length: float = 3.0
    specks: float = 0.0
    speck_size: float = 4.0


SMOOTH = Texture()
"""Neither roughness nor specks."""


def boundary_density(labels: np.ndarray) -> float:
    """Pairs of neighbours (up, down, left, right) that differ, per pixel.

    Parameters
    ----------
    labels : ndarray of int, shape (n_rows, n_columns)

    Returns
    -------
    float
        Between 0 (one phase) and 2.
    """
    labels = np.asarray(labels)
    pairs = sum(np.count_nonzero(np.diff(labels, axis=axis)) for axis in (0, 1))
    return pairs / labels.size


def draw_label_image(
    kind: str,
    shape: tuple[int, int],
    n_phases: int = 2,
    random_state: int | np.random.Generator | None = None,
    *,
    scale: float = SCALE,
    texture: Texture = SMOOTH,
) -> np.ndarray:
    """An image of labels.

    Parameters
    ----------
    kind : {"lamellae", "powder", "grains", "precipitates", "fields", "rough fields"}
        Wavy lamellae of all phases in turn; overlapping particles of irregular outline
        in a matrix (the label 1); a polycrystal with straight boundaries; ellipses in
        a matrix; the largest of smooth random fields; the same with fine detail.
    shape : tuple of int
        Rows and columns.
    n_phases : int, default 2
    random_state : int or numpy.random.Generator, optional
        Makes the image repeat exactly.
    scale : float, default 16
        Period of the lamellae, diameter of a particle, a grain or a precipitate,
        correlation length of a field; pixels.
    texture : Texture, optional
        Roughness of the outlines, and specks; none by default.

    Returns
    -------
    ndarray of int16, shape (n_rows, n_columns)
        Labels from 1 to `n_phases`; in a small image some may be missing.

    Raises
    ------
    ValueError
        If a parameter makes no sense.
    """
    shape = _checked(kind, shape, n_phases)
    if not 0 < scale < np.inf:
        raise ValueError(f"`scale` is {scale}; pixels above zero are expected.")
    _check_texture(texture)
    rng = np.random.default_rng(random_state)
    labels = KINDS[kind](shape, n_phases, float(scale), rng).astype(np.int16)
    labels = _roughened(labels, texture, rng)
    return _with_specks(labels, n_phases, texture, rng)


def draw_label_image_of_density(
    kind: str,
    shape: tuple[int, int],
    n_phases: int,
    density: float,
    random_state: int | np.random.Generator | None = None,
    *,
    texture: Texture = SMOOTH,
) -> np.ndarray:
    """An image of labels with as many boundaries as wanted.

    Parameters
    ----------
    kind, shape, n_phases, random_state, texture
        See :func:`draw_label_image`; two phases or more.
    density : float
        Wanted :func:`boundary_density`; reached to 1 %, or as near as the few
        boundaries of a small image allow.

    Returns
    -------
    ndarray of int16, shape (n_rows, n_columns)

    Raises
    ------
    ValueError
        If a parameter makes no sense.
    """
    shape = _checked(kind, shape, n_phases)
    if not 0 < density < 2 or n_phases < 2:
        raise ValueError(
            f"`density` is {density} and `n_phases` {n_phases}; pairs of differing "
            "neighbours per pixel (above 0, below 2) of two phases or more are "
            "expected."
        )
    seed = int(np.random.default_rng(random_state).integers(2**63))
    return _search_scale(
        lambda scale: draw_label_image(
            kind, shape, n_phases, seed, scale=scale, texture=texture
        ),
        density,
    )


def _search_scale(draw: Callable[[float], np.ndarray], density: float) -> np.ndarray:
    """Boundaries are about inversely proportional to the scale: follow that."""
    scale, best, error = 1.5 / density, None, np.inf
    for _ in range(MAX_TRIALS):
        labels = draw(scale)
        found = boundary_density(labels)
        if abs(found - density) < error:
            best, error = labels, abs(found - density)
        if error < TOLERANCE * density:
            break
        scale *= np.clip(found / density, 0.5, 2.0)
    return best


def _checked(kind: str, shape: tuple[int, int], n_phases: int) -> tuple[int, int]:
    if kind not in KINDS:
        raise ValueError(f"`kind` is {kind!r}; one of {', '.join(KINDS)} is expected.")
    if len(shape) != 2 or min(shape) < 1:
        raise ValueError(f"`shape` is {shape}; rows and columns are expected.")
    if not 1 <= n_phases < 2**15:
        raise ValueError(f"`n_phases` is {n_phases}; 1 to {2**15 - 1} are expected.")
    return int(shape[0]), int(shape[1])


def _check_texture(texture: Texture) -> None:
    is_right = all(0 <= value < np.inf for value in texture)
    if not is_right or texture.length == 0 or texture.speck_size == 0:
        raise ValueError(
            f"`texture` is {texture}; numbers that are not negative are expected, and "
            "a length and a size of specks above zero."
        )


def _roughened(labels, texture, rng):
    """Take the label of each pixel from a place that is randomly displaced."""
    if texture.roughness == 0:
        return labels
    places = []
    for axis, indices in enumerate(np.indices(labels.shape)):
        shift = texture.roughness * _field(labels.shape, texture.length, rng)
        place = np.rint(indices + shift).astype(int)
        places.append(np.clip(place, 0, labels.shape[axis] - 1))
    return labels[tuple(places)]


def _with_specks(labels, n_phases, texture, rng):
    for _ in range(round(texture.specks * labels.size)):
        centre = rng.random(2) * labels.shape
        radius = texture.speck_size / 2 * np.exp(rng.normal(0, SPECK_SPREAD))
        _paint(labels, centre, _outline(radius, rng), 1 + rng.integers(n_phases))
    return labels


def _field(shape: tuple[int, int], length: float, rng: np.random.Generator):
    """A smooth random field of mean 0 and variance 1, correlated over `length`."""
    noise = np.fft.rfft2(rng.standard_normal(shape))
    k_y, k_x = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None]
    damped = noise * np.exp(-((np.pi * length / 2) ** 2) * (k_y**2 + k_x**2))
    damped[0, 0] = 0
    field = np.fft.irfft2(damped, shape)
    return field / max(field.std(), 1e-12)


def _lamellae(shape, n_phases, scale, rng):
    y, x = np.indices(shape)
    angle = rng.uniform(0, np.pi)
    place = (y * np.cos(angle) - x * np.sin(angle)) / scale + rng.random()
    place += rng.uniform(0.1, 0.3) * _field(shape, 3 * scale, rng)
    place += rng.uniform(0.0, 0.03) * _field(shape, scale / 3, rng)
    borders = np.cumsum(_shares(n_phases, rng))[:-1]
    return 1 + np.searchsorted(borders, place % 1.0, side="right")


def _powder(shape, n_phases, scale, rng, cover=1.2):
    """Particles fall one on another until on average `cover` lie on each pixel."""
    labels = np.ones(shape, np.int16)
    size = np.array(shape) + 2 * scale
    n_particles = max(1, round(cover * size.prod() / (np.pi * scale**2 / 4)))
    seeds = np.random.default_rng(rng.integers(2**63))
    for n in range(n_particles):
        centre = seeds.random(2) * size - scale
        radius = scale / 2 * np.exp(seeds.normal(-0.09, 0.3))
        _paint(labels, centre, _outline(radius, seeds), _phase(n, n_phases))
    return labels


def _phase(n: int, n_phases: int) -> int:
    """Of the n-th particle: all phases but the matrix in turn."""
    return 2 + n % (n_phases - 1) if n_phases > 1 else 1


def _outline(radius: float, rng: np.random.Generator, n: int = 360):
    """Radii at `n` angles: a circle with harmonics that fall off, jagged."""
    angle = np.arange(n) * 2 * np.pi / n
    order = np.arange(2, 16)
    heights = rng.normal(size=order.size) * 0.3 / order
    phases = rng.uniform(0, 2 * np.pi, size=order.size)
    waves = (heights[:, None] * np.cos(order[:, None] * angle + phases[:, None])).sum(0)
    return radius * np.exp(waves)


def _paint(labels, centre, radii, phase) -> None:
    """Give the pixels inside an outline their phase."""
    reach = radii.max()
    low = np.maximum(np.ceil(centre - reach), 0).astype(int)
    high = np.minimum(np.floor(centre + reach) + 1, labels.shape).astype(int)
    if (high <= low).any():
        return
    y = np.arange(low[0], high[0])[:, None] - centre[0]
    x = np.arange(low[1], high[1])[None] - centre[1]
    angle = np.arctan2(y, x) % (2 * np.pi)
    at = (angle * (radii.size / (2 * np.pi))).astype(int) % radii.size
    box = labels[low[0] : high[0], low[1] : high[1]]
    box[y**2 + x**2 <= radii[at] ** 2] = phase


def _grains(shape, n_phases, scale, rng):
    from scipy.spatial import cKDTree

    size = np.array(shape) + 2 * scale
    n_grains = max(1, round(size.prod() / (np.pi * scale**2 / 4)))
    points = rng.random((n_grains, 2)) * size - scale
    places = np.indices(shape).reshape(2, -1).T
    grains = cKDTree(points).query(places)[1].reshape(shape)
    return (1 + rng.permutation(n_grains) % n_phases)[grains]


def _precipitates(shape, n_phases, scale, rng):
    """Ellipses, mostly apart; their long axes up to 2.5 times the short ones."""
    labels = np.ones(shape, np.int16)
    size = np.array(shape) + 2 * scale
    angle = np.arange(360) * np.pi / 180
    for n in range(max(1, round(0.3 * size.prod() / (np.pi * scale**2 / 4)))):
        centre = rng.random(2) * size - scale
        ratio, turn = rng.uniform(1, 2.5), rng.uniform(0, np.pi)
        radius = scale / 2 * np.exp(rng.normal(-0.09, 0.3))
        along, across = np.cos(angle - turn), np.sin(angle - turn)
        radii = radius / np.sqrt(along**2 / ratio + across**2 * ratio)
        _paint(labels, centre, radii, _phase(n, n_phases))
    return labels


def _fields(shape, n_phases, scale, rng, detail=0.0):
    """The largest of as many fields as there are phases, of unequal means."""
    fields = []
    for mean in rng.uniform(-0.3, 0.3, size=n_phases):
        field = mean + _field(shape, scale, rng)
        fields.append(field + detail * _field(shape, scale / 4, rng))
    return 1 + np.argmax(fields, axis=0)


def _rough_fields(shape, n_phases, scale, rng):
    return _fields(shape, n_phases, scale, rng, detail=0.15)


def _shares(n_phases: int, rng: np.random.Generator) -> np.ndarray:
    """Areas of the phases: unequal, none less than about a third of another."""
    areas = rng.uniform(0.35, 1.0, size=n_phases)
    return areas / areas.sum()


KINDS: dict[str, Callable[..., np.ndarray]] = {
    "lamellae": _lamellae,
    "powder": _powder,
    "grains": _grains,
    "precipitates": _precipitates,
    "fields": _fields,
    "rough fields": _rough_fields,
}
"""How an image of each kind is drawn."""
