# SPDX-License-Identifier: GPL-3.0-or-later
"""Example images of labels: their labels, boundaries and repetition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hspy_ml.sampling.label_images import (
    KINDS,
    SMOOTH,
    Texture,
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


def test_rough_outlines_are_displaced_by_what_was_asked_for():
    """Pixels that change their label: length of the boundaries, pi/4 of the pairs for
    all directions alike, times the mean of the displacement across, 0.8 of its root
    mean square."""
    smooth = draw_label_image("grains", (300, 300), 3, 4, scale=40.0)
    rough = draw_label_image(
        "grains", (300, 300), 3, 4, scale=40.0, texture=Texture(1.5, 8)
    )
    expected = boundary_density(smooth) * np.pi / 4 * 0.8 * 1.5
    assert np.mean(smooth != rough) == pytest.approx(expected, rel=0.15)
    assert boundary_density(rough) > boundary_density(smooth)


def test_specks_cover_what_their_number_and_size_say():
    """Half of them have the label of the phase they lie in."""
    plain, specked = (
        draw_label_image("precipitates", (300, 300), 2, 1, scale=1e3, texture=texture)
        for texture in (SMOOTH, Texture(specks=0.002, speck_size=6))
    )
    area = np.pi / 4 * 6**2 * np.exp(2 * 0.4**2)
    expected = 0.5 * 0.002 * area
    assert np.mean(plain != specked) == pytest.approx(expected, rel=0.25)


@pytest.mark.parametrize(
    "texture", [Texture(-1), Texture(1, 0), Texture(specks=np.nan), Texture(1, np.inf)]
)
def test_textures_without_meaning_are_refused(texture):
    with pytest.raises(ValueError, match="`texture`"):
        draw_label_image("grains", (9, 9), 2, 0, texture=texture)


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
