# SPDX-License-Identifier: GPL-3.0-or-later
"""Poisson counts: how they are held, built, binned and split.

``building`` makes them from arrays, ``binning`` sums groups of pixels,
``thinning`` splits them in two.
"""

from hspy_ml.counts.data import Counts, DenseCounts, SparseCounts, channel_type

__all__ = ["Counts", "DenseCounts", "SparseCounts", "channel_type"]
