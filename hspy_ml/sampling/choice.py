# SPDX-License-Identifier: GPL-3.0-or-later
"""Where to measure next: what is known of every pixel, and the best of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from .features import paper_reach
from .neighbours import nearest_measurements
from .regressor import Regressor

__all__ = ["NEVER", "TILE", "Chooser", "Maps"]

TILE = 32
"""Side of the tiles of which the best score is known, pixels."""

TOUCHING = 1.5
"""Distance within which pixels touch, at a side or a corner."""

NEVER = np.float32(-np.inf)
"""Score of a pixel that is not to be measured."""


class Maps(NamedTuple):
    """What is known of every pixel.

    Attributes
    ----------
    near : ndarray of int16, shape (n_rows, n_columns, n_neighbours, 2)
        Offsets to the nearest measurements, see `neighbours`.
    labels : ndarray of int16, shape (n_rows, n_columns)
        What was measured, 0 where nothing was.
    image : ndarray of int16, shape (n_rows, n_columns)
        The reconstruction.
    is_open : ndarray of bool, shape (n_rows, n_columns)
        Whether it may be measured, and is not measured or asked for yet.
    score : ndarray of float32, shape (n_rows, n_columns)
        High where a measurement is worth much.
    withheld : ndarray of float32, shape (n_rows, n_columns)
        Scores that are put aside while several pixels are chosen.
    tile_score : ndarray of float32, shape (n_tile_rows, n_tile_columns)
        The best score in each tile.
    tile_place : ndarray of int32, shape (n_tile_rows, n_tile_columns)
        Its place in the image, row * n_columns + column; the first of equal ones.
    has_changed, is_stale : ndarray of bool, shape (n_rows, n_columns)
        Room to mark the pixels whose neighbours, or features, are new; False.
    votes : ndarray of float64, shape (largest label + 1,)
        Room for one number per label; 0.
    """

    near: np.ndarray
    labels: np.ndarray
    image: np.ndarray
    is_open: np.ndarray
    score: np.ndarray
    withheld: np.ndarray
    tile_score: np.ndarray
    tile_place: np.ndarray
    has_changed: np.ndarray
    is_stale: np.ndarray
    votes: np.ndarray


class Chooser:
    """Keeps reconstruction and scores up to date as labels come in.

    Parameters
    ----------
    labels : ndarray of int16, shape (n_rows, n_columns)
        What was measured, 0 where nothing was; one label at least.
    is_open : ndarray of bool, shape (n_rows, n_columns)
        What may still be measured.
    regressor : Regressor
    near : ndarray of int16, shape (n_rows, n_columns, n_neighbours, 2), optional
        The nearest measurements, if they are known already.

    Attributes
    ----------
    maps : Maps
        What is known of every pixel; not to be changed.
    """

    def __init__(
        self,
        labels: np.ndarray,
        is_open: np.ndarray,
        regressor: Regressor,
        near: np.ndarray | None = None,
    ) -> None:
        from .choice_kernels import refresh_all

        if near is None:
            near = nearest_measurements(labels > 0, regressor.n_neighbours)
        tiles = tuple(-(-n // TILE) for n in labels.shape)
        self._reach = paper_reach(labels.size)
        self._coefficients = regressor.coefficients
        self.maps = Maps(
            near=np.array(near, np.int16, order="C"),
            labels=np.array(labels, np.int16, order="C"),
            image=np.zeros(labels.shape, np.int16),
            is_open=np.array(is_open, bool, order="C"),
            score=np.full(labels.shape, NEVER),
            withheld=np.full(labels.shape, NEVER),
            tile_score=np.full(tiles, NEVER),
            tile_place=np.full(tiles, -1, np.int32),
            has_changed=np.zeros(labels.shape, bool),
            is_stale=np.zeros(labels.shape, bool),
            votes=np.zeros(int(labels.max()) + 1),
        )
        refresh_all(self.maps, self._reach, self._coefficients)

    def choose(
        self, n: int, awaited: Iterable[tuple[int, int]] = ()
    ) -> list[tuple[int, int]]:
        """The best pixels, and have them never proposed again.

        Pixels near to those chosen before, or awaited, are left out: within half the
        distance from these to a measurement, and those that touch; unless there are no
        others.

        Parameters
        ----------
        n : int
            How many.
        awaited : iterable of tuple of int
            Rows and columns of pixels that were chosen before.

        Returns
        -------
        list of tuple of int
            Rows and columns; fewer if there are not so many.
        """
        chosen: list[tuple[int, int]] = []
        while len(chosen) < n:
            n_more = n - len(chosen)
            more = self._choose_apart(n_more, [*awaited, *chosen])
            if not more and not (more := self._choose_apart(1, [])):
                break
            chosen += more
        return chosen

    def _choose_apart(
        self, n: int, awaited: list[tuple[int, int]]
    ) -> list[tuple[int, int]]:
        """The best pixels that are near to none of the others."""
        zones: list[tuple[int, int, float]] = []
        chosen: list[tuple[int, int]] = []
        try:
            for place in awaited:
                self._keep_away(place, zones)
            while len(chosen) < n and (place := self._best()) is not None:
                self.close(*place)
                chosen.append(place)
                if len(chosen) < n:
                    self._keep_away(place, zones)
        finally:
            self._release(zones)
        return chosen

    def _keep_away(self, place: tuple[int, int], zones: list) -> None:
        """Have no pixel near to this one chosen for the time being."""
        from .choice_kernels import withhold

        distance = np.hypot(*self.maps.near[place][0].astype(float))
        zones.append((*place, max(TOUCHING, distance / 2)))
        withhold(self.maps, *zones[-1])

    def _release(self, zones: list[tuple[int, int, float]]) -> None:
        from .choice_kernels import release

        for zone in zones:
            release(self.maps, *zone)

    def _best(self) -> tuple[int, int] | None:
        from .choice_kernels import best_place

        place = best_place(self.maps)
        return None if place < 0 else divmod(place, self.maps.labels.shape[1])

    def close(self, row: int, column: int) -> None:
        """Have a pixel never proposed again."""
        from .choice_kernels import close_pixel

        close_pixel(self.maps, row, column)

    def add(self, row: int, column: int, label: int) -> None:
        """Take in a label, of a new pixel or in place of an older one."""
        from .choice_kernels import add_measurement

        self._make_room(label)
        add_measurement(self.maps, row, column, label, self._reach, self._coefficients)

    def remove(self, row: int, column: int) -> None:
        """Take back a label; the pixel stays closed."""
        from .choice_kernels import remove_measurement

        remove_measurement(self.maps, row, column, self._reach, self._coefficients)

    def replay(self, truth: np.ndarray, n_points: int) -> np.ndarray:
        """Measure pixels of an image that is known, one after the other.

        Parameters
        ----------
        truth : ndarray of int16, shape (n_rows, n_columns)
            Labels; 0 where the spectrum is ill.
        n_points : int

        Returns
        -------
        ndarray of int64, shape (at most n_points,)
            Their places in their order, row * n_columns + column.
        """
        from .choice_kernels import replay

        self._make_room(int(truth.max()))
        places = np.empty(n_points, np.int64)
        n = replay(self.maps, truth, self._reach, self._coefficients, places)
        return places[:n]

    def _make_room(self, label: int) -> None:
        if label >= self.maps.votes.size:
            self.maps = self.maps._replace(votes=np.zeros(label + 1))
