# SPDX-License-Identifier: GPL-3.0-or-later
"""Label and features of a pixel from its nearest measurements, compiled.

See `features` for what the numbers mean. ``votes`` is room for one number per label
(0 included); it is zero before and after. ``near`` is as in `neighbour_kernels`, and
``labels`` holds what was measured, 0 where nothing was.
"""

from __future__ import annotations

import numba
import numpy as np

from .features import FEATURES
from .neighbour_kernels import NOWHERE

_OPTIONS = {"cache": True, "nogil": True}

N_FEATURES = len(FEATURES)

RIDGE = 0.05
"""Added to the variances of the places that a plane is fitted to, pixels^2."""


@numba.njit(**_OPTIONS)
def reconstruct_pixel(nearest, labels, row, column, votes):
    """The label with the largest sum of d^-2 over the nearest measurements.

    What was measured stays; 0 if there is no measurement at all. The smallest label
    wins if several have the same sum.
    """
    if labels[row, column] > 0:
        return labels[row, column]
    best = _vote(nearest, labels, row, column, votes)
    _clear(nearest, labels, row, column, votes)
    return best


@numba.njit(**_OPTIONS)
def _vote(nearest, labels, row, column, votes):
    for i in range(nearest.shape[0]):
        dy, dx = np.float64(nearest[i, 0]), np.float64(nearest[i, 1])
        if dy == NOWHERE:
            break
        label = labels[row + nearest[i, 0], column + nearest[i, 1]]
        votes[label] += 1.0 / (dy * dy + dx * dx)
    best, most = np.int16(0), 0.0
    for i in range(nearest.shape[0]):
        if nearest[i, 0] == NOWHERE:
            break
        label = labels[row + nearest[i, 0], column + nearest[i, 1]]
        if votes[label] > most or (votes[label] == most and label < best):
            best, most = label, votes[label]
    return best


@numba.njit(**_OPTIONS)
def _clear(nearest, labels, row, column, votes):
    for i in range(nearest.shape[0]):
        if nearest[i, 0] == NOWHERE:
            break
        votes[labels[row + nearest[i, 0], column + nearest[i, 1]]] = 0.0


@numba.njit(**_OPTIONS)
def describe_pixel(nearest, labels, image, row, column, reach, votes, features):
    """Write the features of a pixel that was not measured.

    ``image`` is the reconstruction, ``reach`` the radius rc of Z3.
    """
    best = image[row, column]
    n = _describe_nearest(nearest, labels, row, column, best, reach, votes, features)
    if features[1] > 0:
        _describe_votes(nearest, labels, row, column, n, votes, features)
        _describe_plane(nearest, labels, row, column, best, n, features)
    else:
        _describe_agreement(features)
    _clear(nearest, labels, row, column, votes)
    _describe_surroundings(labels, image, row, column, best, features)


@numba.njit(**_OPTIONS)
def _describe_nearest(nearest, labels, row, column, best, reach, votes, features):
    """Z0 to Z3, distances and one-sidedness; adds votes, returns their number."""
    same, other, square, within = 0.0, 0.0, 1.0, 0
    total, disagree, sum_y, sum_x, n = 0.0, 0, 0.0, 0.0, 0
    for i in range(nearest.shape[0]):
        dy, dx = np.float64(nearest[i, 0]), np.float64(nearest[i, 1])
        if dy == NOWHERE:
            break
        square = dy * dy + dx * dx
        weight = 1.0 / square
        label = labels[row + nearest[i, 0], column + nearest[i, 1]]
        votes[label] += weight
        total += weight
        sum_y += weight * dy
        sum_x += weight * dx
        within += square <= reach * reach
        if label == best:
            same = same if same > 0 else square
        else:
            disagree += 1
            other = other if other > 0 else square
        n += 1
    dy, dx = np.float64(nearest[0, 0]), np.float64(nearest[0, 1])
    closest = dy * dy + dx * dx
    features[0] = 1.0 - votes[best] / total
    features[1] = np.sqrt(disagree / n)
    features[2] = np.sqrt(closest)
    features[3] = (1.0 + np.pi * reach * reach) / (1.0 + within)
    features[6] = 0.5 * np.log(closest)
    features[7] = 0.5 * np.log(same)
    features[8] = 0.5 * np.log(other if other > 0 else 4.0 * square)
    features[12] = 0.5 * np.log(square)
    features[15] = np.sqrt((sum_y * sum_y + sum_x * sum_x) / closest) / total
    return n


@numba.njit(**_OPTIONS)
def _describe_agreement(features):
    """What is so where all of the nearest measurements have one label."""
    features[9] = 1.0
    features[10] = 0.0
    features[11] = 1.0
    features[13] = 1.0
    features[14] = 0.0


@numba.njit(**_OPTIONS)
def _describe_votes(nearest, labels, row, column, n, votes, features):
    """Lead of the first label over the second, entropy, number; clears the votes."""
    total, most, second = 0.0, 0.0, 0.0
    entropy, n_labels = 0.0, 0
    for i in range(n):
        label = labels[row + nearest[i, 0], column + nearest[i, 1]]
        vote = votes[label]
        if vote > 0:
            if vote > most:
                most, second = vote, most
            elif vote > second:
                second = vote
            total += vote
            entropy -= vote * np.log(vote)
            n_labels += 1
            votes[label] = 0.0
    features[9] = (most - second) / total
    features[10] = entropy / total + np.log(total)
    features[11] = n_labels


@numba.njit(**_OPTIONS)
def _describe_plane(nearest, labels, row, column, best, n, features):
    """A plane through the indicator of the label: its height here, its slope."""
    s, sy, sx, syy, sxy, sxx = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    f, fy, fx = 0.0, 0.0, 0.0
    for i in range(n):
        dy, dx = np.float64(nearest[i, 0]), np.float64(nearest[i, 1])
        w = 1.0 / (dy * dy + dx * dx)
        s += w
        sy += w * dy
        sx += w * dx
        syy += w * dy * dy
        sxy += w * dy * dx
        sxx += w * dx * dx
        if labels[row + nearest[i, 0], column + nearest[i, 1]] == best:
            f += w
            fy += w * dy
            fx += w * dx
    my, mx, mf = sy / s, sx / s, f / s
    cyy, cxx = syy / s - my * my + RIDGE, sxx / s - mx * mx + RIDGE
    cxy = sxy / s - my * mx
    gy, gx = fy / s - mf * my, fx / s - mf * mx
    determinant = cyy * cxx - cxy * cxy
    slope_y = (cxx * gy - cxy * gx) / determinant
    slope_x = (cyy * gx - cxy * gy) / determinant
    features[13] = mf - slope_y * my - slope_x * mx
    features[14] = np.sqrt(slope_y * slope_y + slope_x * slope_x)


@numba.njit(**_OPTIONS)
def _describe_surroundings(labels, image, row, column, best, features):
    """Z4, Z5; what the pixels around were measured or reconstructed to be."""
    n_rows, n_columns = image.shape
    near_other, near_same, near_different = 0, 0, 0
    all_other, all_same, all_different = 0, 0, 0
    for y in range(max(row - 2, 0), min(row + 3, n_rows)):
        for x in range(max(column - 2, 0), min(column + 3, n_columns)):
            other = image[y, x] != best
            known = labels[y, x] > 0
            is_near = abs(y - row) <= 1 and abs(x - column) <= 1
            all_other += other
            all_same += known and not other
            all_different += known and other
            near_other += is_near and other
            near_same += is_near and known and not other
            near_different += is_near and known and other
    features[16] = near_other
    features[17] = all_other - near_other
    features[18] = near_same
    features[19] = near_different
    features[20] = all_same - near_same
    features[21] = all_different - near_different
    up, down = image[max(row - 1, 0), column], image[min(row + 1, n_rows - 1), column]
    left = image[row, max(column - 1, 0)]
    right = image[row, min(column + 1, n_columns - 1)]
    features[4] = left != right
    features[5] = up != down
