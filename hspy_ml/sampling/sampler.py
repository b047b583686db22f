# SPDX-License-Identifier: GPL-3.0-or-later
"""Dynamic sampling that one steps: positions out, labels in."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

import numpy as np

from .choice import NEVER, Chooser
from .neighbours import NOWHERE
from .patterns import low_discrepancy_pattern
from .regressor import Regressor, default_regressor
from .sampler_checks import (
    checked_labels,
    checked_n_phases,
    checked_places,
    checked_shape,
    checked_start,
)

__all__ = ["DynamicSampler"]

OPEN, EXCLUDED, ASKED, MEASURED, ILL, FAILED = range(6)


class DynamicSampler:
    """Chooses which pixel to measure next from the labels of those measured.

    It begins with a low-discrepancy pattern. Then the pixel is next whose measurement
    is worth most, in the eyes of a regressor that was trained on example images.

    Parameters
    ----------
    shape : tuple of int
        Rows and columns of the map, or the length of a line.
    n_phases : int, optional
        The largest label there may be; by default any.
    regressor : Regressor, optional
        The package's own by default.
    initial : float, default 0.01
        Share of the pixels in the pattern at the start (two pixels at least).
    navigation_mask : ndarray of bool, shape (n_rows, n_columns), optional
        Pixels that are not to be measured.
    random_state : int or numpy.random.Generator, optional
        Makes the start, and with it everything, repeat exactly.

    Raises
    ------
    ValueError
        If a parameter makes no sense.

    Examples
    --------
    >>> sampler = DynamicSampler((64, 64), random_state=0)
    >>> while sampler.n_measured < 600:
    ...     positions = sampler.next()
    ...     sampler.update(positions, truth[tuple(positions.T)])
    >>> phases = sampler.reconstruction
    """

    def __init__(
        self,
        shape: tuple[int, ...],
        n_phases: int | None = None,
        *,
        regressor: Regressor | None = None,
        initial: float = 0.01,
        navigation_mask: np.ndarray | None = None,
        random_state: int | np.random.Generator | None = None,
    ) -> None:
        self._shape, grid = checked_shape(shape)
        n_start = checked_start(initial, grid[0] * grid[1])
        self.n_phases = checked_n_phases(n_phases)
        self.regressor = default_regressor() if regressor is None else regressor
        self._labels = np.zeros(grid, np.int16)
        self._status = np.full(grid, OPEN, np.uint8)
        if navigation_mask is not None:
            self._status[self._checked_mask(navigation_mask)] = EXCLUDED
        pattern = low_discrepancy_pattern(grid, n_start, random_state)
        self._start = deque(map(tuple, pattern.tolist()))
        self._asked: dict[tuple[int, int], None] = {}  # in the order of asking
        self._n_measured = 0
        self._chooser: Chooser | None = None

    # what is known

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns, or the length of a line."""
        return self._shape

    @property
    def labels(self) -> np.ndarray:
        """int16, what was measured; 0 where nothing was, or a spectrum was ill."""
        return self._labels.reshape(self._shape).copy()

    @property
    def measured(self) -> np.ndarray:
        """bool, where a spectrum was measured, ill ones too."""
        return np.isin(self._status, (MEASURED, ILL)).reshape(self._shape)

    @property
    def ill(self) -> np.ndarray:
        """bool, where the spectrum was of no phase."""
        return (self._status == ILL).reshape(self._shape)

    @property
    def failed(self) -> np.ndarray:
        """bool, where the microscope could not measure."""
        return (self._status == FAILED).reshape(self._shape)

    @property
    def n_measured(self) -> int:
        """Number of spectra measured, ill ones too; of each pixel one."""
        return self._n_measured

    @property
    def asked(self) -> np.ndarray:
        """Positions that were given out and are still awaited, shape (n, n_axes)."""
        return self._positions(list(self._asked))

    @property
    def reconstruction(self) -> np.ndarray:
        """int16, the label of every pixel; 0 everywhere before the first one is known.

        That with the largest sum of d^-2 over the nearest measurements.
        """
        return self._known().maps.image.reshape(self._shape).copy()

    @property
    def score(self) -> np.ndarray:
        """float32, what a measurement is worth; NaN where none is to be made.

        Only its order has a meaning that all regressors share.
        """
        score = self._known().maps.score
        return np.where(score == NEVER, np.nan, score).reshape(self._shape)

    @property
    def neighbour_distances(self) -> np.ndarray:
        """float32, shape (*shape, L), to the nearest measurements, pixels; or inf."""
        near = self._known().maps.near
        distances = np.hypot(near[..., 0], near[..., 1], dtype=np.float32)
        distances[near[..., 0] == NOWHERE] = np.inf
        return distances.reshape(*self._shape, -1)

    @property
    def neighbour_labels(self) -> np.ndarray:
        """int16, shape (*shape, L), of these measurements; 0 if there are fewer."""
        maps = self._known().maps
        rows, columns = np.indices(maps.labels.shape)[..., None]
        missing = maps.near[..., 0] == NOWHERE
        rows, columns = (
            np.where(missing, 0, places + maps.near[..., axis])
            for axis, places in enumerate((rows, columns))
        )
        labels = np.where(missing, np.int16(0), maps.labels[rows, columns])
        return labels.reshape(*self._shape, -1)

    # stepping

    def next(self, n: int = 1) -> np.ndarray:
        """Positions to measure next.

        They are awaited until they are updated or skipped, and not given out twice.
        Several keep away from one another, and from those that are awaited.

        Parameters
        ----------
        n : int, default 1
            How many.

        Returns
        -------
        ndarray of int64, shape (n, n_axes)
            Row and column; fewer if there are not so many left.

        Raises
        ------
        ValueError
            If `n` is less than 1.
        """
        if n < 1:
            raise ValueError(f"`n` is {n}; 1 or more are expected.")
        return self._positions(self._ask_for(n))

    def update(self, positions: np.ndarray, labels: np.ndarray | int) -> None:
        """Take in what was measured.

        Parameters
        ----------
        positions : ndarray of int, shape (n, n_axes) or (n_axes,)
            Where; anywhere, whether asked for or not. The latest label of a pixel
            counts.
        labels : ndarray of int, shape (n,), or int
            The phases, from 1; 0 for an ill spectrum, whose pixel is missing.

        Raises
        ------
        TypeError
            If they are no whole numbers.
        ValueError
            If a position lies outside, or a label is none. Nothing is taken in then.
        """
        places = checked_places(positions, self._shape)
        labels = checked_labels(labels, len(places), self.n_phases)
        for place, label in zip(places, labels, strict=True):
            self._tell_chooser(place, label)
            self._n_measured += self._status[place] not in (MEASURED, ILL)
            self._labels[place] = label
            self._status[place] = MEASURED if label > 0 else ILL
            self._asked.pop(place, None)

    def skip(self, positions: np.ndarray) -> None:
        """Give up positions that could not be measured; they are not asked again.

        Parameters
        ----------
        positions : ndarray of int, shape (n, n_axes) or (n_axes,)
            What has been measured already stays.

        Raises
        ------
        TypeError, ValueError
            As :meth:`update`.
        """
        for place in checked_places(positions, self._shape):
            if self._status[place] not in (MEASURED, ILL):
                self._asked.pop(place, None)
                self._status[place] = FAILED
                self._tell_chooser(place, 0)

    # keeping

    def state(self) -> dict[str, np.ndarray]:
        """All there is to go on from, as arrays; see :meth:`from_state`.

        Returns
        -------
        dict of str to ndarray
            For ``numpy.savez`` or a safetensors file.
        """
        state = {
            "shape": np.array(self._shape),
            "n_phases": np.array(0 if self.n_phases is None else self.n_phases),
            "labels": self._labels.copy(),
            "status": self._status.copy(),
            "start": np.array(self._start, np.int64).reshape(-1, 2),
            "asked": np.array(list(self._asked), np.int64).reshape(-1, 2),
            "n_neighbours": np.array(self.regressor.n_neighbours),
        }
        coefficients = self.regressor.coefficients._asdict()
        state |= {f"regressor.{name}": c for name, c in coefficients.items()}
        if self._chooser is not None:
            state["near"] = self._chooser.maps.near.copy()
        return state

    @classmethod
    def from_state(cls, state: Mapping[str, np.ndarray]) -> DynamicSampler:
        """Go on from a state as if there had been no stop.

        Parameters
        ----------
        state : mapping of str to ndarray
            As :meth:`state` gave it, or what ``numpy.load`` reads.

        Returns
        -------
        DynamicSampler

        Raises
        ------
        ValueError
            If a part is missing.
        """
        try:
            return cls._from_parts(dict(state))
        except KeyError as error:
            raise ValueError(
                f"`state` lacks {error}; give what `DynamicSampler.state` returned."
            ) from error

    @classmethod
    def _from_parts(cls, state: dict[str, np.ndarray]) -> DynamicSampler:
        regressor = Regressor.from_arrays(state, int(state["n_neighbours"]))
        sampler = cls(
            tuple(state["shape"].tolist()),
            int(state["n_phases"]) or None,
            regressor=regressor,
        )
        sampler._labels = np.array(state["labels"], np.int16)
        sampler._status = np.array(state["status"], np.uint8)
        sampler._n_measured = int(sampler.measured.sum())
        sampler._start = deque(map(tuple, state["start"].tolist()))
        sampler._asked = dict.fromkeys(map(tuple, state["asked"].tolist()))
        if "near" in state:
            is_open = sampler._status == OPEN
            sampler._chooser = Chooser(
                sampler._labels, is_open, regressor, state["near"]
            )
        return sampler

    def __repr__(self) -> str:
        size = " x ".join(map(str, self._shape))
        share = self.n_measured / self._labels.size
        return f"<DynamicSampler, {size} pixels, {share:.2%} measured>"

    # inside

    def _ask_for(self, n: int) -> list[tuple[int, int]]:
        """Pixels of the start, the best, or any if no label is known."""
        places = self._ask_start(n)
        n_more = n - len(places)
        if not n_more:
            return places
        if self._chooser is None and not (self._labels > 0).any():
            self._refine_start(n_more)
            return places + self._ask_start(n_more)
        if self._chooser is None:
            self._chooser = self._known()
        self._start.clear()
        best = self._chooser.choose(n_more, self._asked)
        self._await(best)
        return places + best

    def _ask_start(self, n: int) -> list[tuple[int, int]]:
        places = []
        while self._start and len(places) < n:
            place = self._start.popleft()
            if self._status[place] == OPEN:
                places.append(place)
                self._await([place])
        return places

    def _await(self, places: list[tuple[int, int]]) -> None:
        for place in places:
            self._status[place] = ASKED
            self._asked[place] = None

    def _refine_start(self, n: int) -> None:
        """Go on with a finer pattern, while nothing is known."""
        n_closed = np.count_nonzero(self._status != OPEN)
        n_drawn = min(n_closed + n, self._labels.size)
        pattern = low_discrepancy_pattern(self._labels.shape, n_drawn, 0)
        self._start.extend(map(tuple, pattern.tolist()))

    def _known(self) -> Chooser:
        """What the chooser knows; of now, if it was not begun yet."""
        if self._chooser is not None:
            return self._chooser
        return Chooser(self._labels, self._status == OPEN, self.regressor)

    def _tell_chooser(self, place: tuple[int, int], label: int) -> None:
        chooser = self._chooser
        if chooser is None:
            return
        if label > 0:
            chooser.add(*place, label)
            return
        chooser.close(*place)
        if chooser.maps.labels[place] > 0:
            chooser.remove(*place)
            self._chooser = chooser if chooser.maps.labels.any() else None

    def _positions(self, places: list[tuple[int, int]]) -> np.ndarray:
        array = np.array(places, np.int64).reshape(-1, 2)
        return array[:, -len(self._shape) :]

    def _checked_mask(self, mask: np.ndarray) -> np.ndarray:
        mask = np.asarray(mask)
        if mask.shape != self._shape or mask.dtype != bool:
            raise ValueError(
                f"`navigation_mask` has the shape {mask.shape} and the type "
                f"{mask.dtype}; bool and {self._shape} are expected."
            )
        return mask.reshape(self._labels.shape)
