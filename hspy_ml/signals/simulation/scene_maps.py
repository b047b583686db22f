# SPDX-License-Identifier: GPL-3.0-or-later
"""The maps of a simulation: those of a scene, or those that were given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...simulation.scene_kinds import SOLID_SOLUTIONS, draw_abundances
from ...simulation.scenes import check_abundances, check_shape

__all__ = ["SceneMaps", "default_mixing"]

DEFAULT_SHAPE = (128, 128)
DEFAULT_SCENE = "grains"


@dataclass(frozen=True, eq=False)
class SceneMaps:
    """Abundances, and how they came about.

    Parameters
    ----------
    abundances : ndarray, shape (n_rows, n_columns, n_phases)
    settings : dict
        The scene and its options, as plain values.
    """

    abundances: np.ndarray
    settings: dict[str, Any]

    @classmethod
    def given(
        cls,
        abundances: np.ndarray,
        shape: tuple[int, int] | None,
        n_phases: int,
        scene: str | None,
        scene_options: Mapping[str, Any] | None,
    ) -> SceneMaps:
        """Check the abundances of the user.

        Parameters
        ----------
        abundances, shape, scene, scene_options
            As for :func:`hspy_ml.simulate`.
        n_phases : int

        Returns
        -------
        SceneMaps

        Raises
        ------
        ValueError
            If they are no abundances, have another shape, or a scene was given too.
        """
        if scene is not None or scene_options is not None:
            raise ValueError(
                "`abundances` and a `scene` (or `scene_options`) were both given; give "
                "one or the other."
            )
        maps = check_abundances(abundances, n_phases)
        if shape is not None:
            check_shape(shape)
            if maps.shape[:2] != tuple(shape):
                raise ValueError(
                    f"`shape` is {shape}, `abundances` has {maps.shape[:2]} pixels; "
                    "leave `shape` out, or give the same."
                )
        return cls(maps, {"scene": "given", "scene_options": {}})

    @classmethod
    def drawn(
        cls,
        scene: str | None,
        scene_options: Mapping[str, Any] | None,
        largest_share: float | None,
        shape: tuple[int, int] | None,
        thickness: np.ndarray | None,
        n_phases: int,
        rng: np.random.Generator,
    ) -> SceneMaps:
        """Draw the abundances of a scene.

        Parameters
        ----------
        scene, scene_options, largest_share, shape, thickness
            As for :func:`hspy_ml.simulate`.
        n_phases : int
        rng : numpy.random.Generator

        Returns
        -------
        SceneMaps

        Raises
        ------
        ValueError
            If there is no such scene, or a value is not allowed.
        """
        scene = scene or DEFAULT_SCENE
        options = dict(scene_options or {})
        if largest_share is not None:
            options.setdefault("largest_share", largest_share)
        maps = draw_abundances(scene, _shape(shape, thickness), n_phases, rng, options)
        return cls(maps, {"scene": scene, "scene_options": options})


def default_mixing(technique: str, scene: str | None) -> str | None:
    """What mixed pixels of a bulk are, where the scene says it.

    Parameters
    ----------
    technique : str
    scene : str or None

    Returns
    -------
    str or None
        None for the default of the technique.
    """
    if technique == "EDS_SEM" and scene in SOLID_SOLUTIONS:
        return "solid solution"
    return None


def _shape(
    shape: tuple[int, int] | None, thickness: np.ndarray | None
) -> tuple[int, ...]:
    if shape is not None:
        check_shape(shape)
        return tuple(shape)
    return DEFAULT_SHAPE if thickness is None else np.shape(thickness)[:2]
