# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenes by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import Parameter, signature
from typing import Any

import numpy as np

from .core_shell import core_shell_abundances
from .gradients import gradient_abundances
from .lamellae import lamella_abundances
from .polycrystals import polycrystal_abundances
from .precipitates import precipitate_abundances
from .scenes import grain_abundances

__all__ = ["SCENES", "SOLID_SOLUTIONS", "draw_abundances"]

#: Each takes the shape, the number of phases and a random state, and has options.
SCENES: dict[str, Callable[..., np.ndarray]] = {
    "grains": grain_abundances,
    "voronoi": polycrystal_abundances,
    "core-shell": core_shell_abundances,
    "gradient": gradient_abundances,
    "precipitates": precipitate_abundances,
    "lamellae": lamella_abundances,
}

#: Those in which phases mix by atoms, and not at boundaries that the beam crosses.
SOLID_SOLUTIONS = ("gradient",)


def draw_abundances(
    scene: str,
    shape: tuple[int, int],
    n_phases: int,
    random_state: int | np.random.Generator | None = None,
    options: Mapping[str, Any] | None = None,
) -> np.ndarray:
    """Draw the maps of a scene.

    Parameters
    ----------
    scene : str
        One of `SCENES`.
    shape : tuple of int
        Rows and columns of the image.
    n_phases : int
    random_state : int or numpy.random.Generator, optional
        Makes the maps repeat exactly.
    options : mapping of str to value, optional
        Keyword arguments of the scene's function.

    Returns
    -------
    ndarray, shape (*shape, n_phases)
        Abundances that sum to one in every pixel.

    Raises
    ------
    ValueError
        If there is no such scene, it has no such option, or a value is not allowed.
    """
    if scene not in SCENES:
        raise ValueError(f"`scene` is {scene!r}; it must be one of {list(SCENES)}.")
    draw = SCENES[scene]
    given = dict(options or {})
    allowed = _options_of(draw)
    for name in given:
        if name not in allowed:
            raise ValueError(
                f"`{name}` is no option of the scene {scene!r}, which has {allowed}."
            )
    return draw(shape, n_phases, random_state, **given)


def _options_of(draw: Callable[..., np.ndarray]) -> list[str]:
    parameters = signature(draw).parameters.values()
    return [p.name for p in parameters if p.kind is Parameter.KEYWORD_ONLY]
