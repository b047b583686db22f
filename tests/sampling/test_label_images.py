# SPDX-License-Identifier: GPL-3.0-or-later
"""Example images of labels: their labels, boundaries and repetition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hspy_ml.sampling.label_images import (
    KINDS,
    boundary_density,
    draw_label_image,
    draw_label_image_of_density,
)


def test_boundaries_of_stripes_and_of_a_chessboard():
    rows, columns = np.indices((6, 8))
    assert boundary_density(rows // 3) == 8 / 48
    assert boundary_density((rows + columns) % 2) == (5 * 8 + 6 * 7) / 48
    assert boundary_density(np.ones((6, 8))) == 0


@given(
    kind=st.sampled_from(list(KINDS)),
    n_rows=st.integers(1, 30),
    n_columns=st.integers(1, 30),
    n_phases=st.integers(1, 5),
    seed=st.integers(0, 99),
)
@settings(max_examples=60, deadline=None)
def test_labels_are_those_of_the_phases(kind, n_rows, n_columns, n_phases, seed):
    labels = draw_label_image(kind, (n_rows, n_columns), n_phases, seed)
    assert labels.shape == (n_rows, n_columns)
    assert labels.dtype == np.int16
    assert 1 <= labels.min() <= labels.max() <= n_phases


@pytest.mark.parametrize("kind", KINDS)
def test_all_phases_and_the_wanted_boundaries(kind):
    labels = draw_label_image_of_density(kind, (128, 150), 3, 0.08, 2)
    assert set(np.unique(labels)) == {1, 2, 3}
    assert boundary_density(labels) == pytest.approx(0.08, rel=0.1)


@pytest.mark.parametrize("kind", KINDS)
def test_images_repeat_with_the_random_state_only(kind):
    first, again, other = (draw_label_image(kind, (60, 50), 2, s) for s in (3, 3, 4))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("stripes", (9, 9), 2, 0.1), "kind"),
        (("grains", (9,), 2, 0.1), "shape"),
        (("grains", (9, 0), 2, 0.1), "shape"),
        (("grains", (9, 9), 1, 0.1), "n_phases"),
        (("grains", (9, 9), 2, 3.0), "density"),
    ],
)
def test_what_makes_no_image_is_refused(arguments, named):
    with pytest.raises(ValueError, match=f"`{named}`"):
        draw_label_image_of_density(*arguments)
