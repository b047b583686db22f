# SPDX-License-Identifier: GPL-3.0-or-later
"""Count splitting: two independent data sets out of one.

If Y is Poisson with mean m, and each count is kept with probability q, then what is
kept and what is left are independent and Poisson, with means q m and (1 - q) m.
"""

from __future__ import annotations

import numpy as np

from hspy_ml.counts.building import better_form
from hspy_ml.counts.data import Counts, DenseCounts, SparseCounts

_CHUNK = 2**20


def thin(
    counts: Counts,
    probability: float,
    random_state: int | np.random.Generator | None = None,
) -> tuple[Counts, Counts]:
    """Keep each count with some probability: two independent Poisson data sets.

    Parameters
    ----------
    counts : SparseCounts or DenseCounts
        The data, whole numbers.
    probability : float
        Probability that a count is kept, between 0 and 1.
    random_state : int or numpy.random.Generator, optional
        Seed; the same seed gives the same counts.

    Returns
    -------
    kept, rest : SparseCounts or DenseCounts
        They sum to `counts` exactly.

    Raises
    ------
    ValueError
        If `probability` is not between 0 and 1, or the counts are not whole numbers.
    """
    if not 0 < probability < 1:
        raise ValueError(
            f"`probability` is {probability}; it lies between 0 and 1, both excluded."
        )
    _check_whole(counts.values)
    generator = np.random.default_rng(random_state)
    kept = _draw(counts.values, probability, generator)
    return _with_values(counts, kept), _with_values(counts, counts.values - kept)


def _draw(
    values: np.ndarray, probability: float, generator: np.random.Generator
) -> np.ndarray:
    kept = np.zeros_like(values, order="C")
    flat, flat_kept = values.reshape(-1), kept.reshape(-1)
    for start in range(0, flat.size, _CHUNK):
        chunk = flat[start : start + _CHUNK]
        one, more = chunk == 1, np.flatnonzero(chunk > 1)
        target = flat_kept[start : start + _CHUNK]
        target[one] = generator.random(np.count_nonzero(one)) < probability
        target[more] = generator.binomial(chunk[more].astype(np.int64), probability)
    return kept


def _with_values(counts: Counts, values: np.ndarray) -> Counts:
    """The same entries with other values; those that are zero now are dropped."""
    if isinstance(counts, DenseCounts):
        return better_form(DenseCounts(values))
    from hspy_ml.counts.kernels import sum_rows

    present = values != 0
    offsets = np.zeros_like(counts.offsets)
    offsets[1:] = np.cumsum(sum_rows(counts.offsets, present))
    return SparseCounts(
        offsets,
        counts.channels[present],
        values[present],
        counts.n_channels,
    )


def _check_whole(values: np.ndarray) -> None:
    if values.dtype.kind == "f" and not np.array_equal(values, np.floor(values)):
        raise ValueError(
            "The counts are not whole numbers, so that they cannot be split into two "
            "independent sets. Use the counts as measured, not scaled, smoothed or "
            "with a background subtracted."
        )
