# SPDX-License-Identifier: GPL-3.0-or-later
"""What `ml_quantify` returns: files, figures, tables."""

import copy

import hyperspy.api as hs
import matplotlib.pyplot as plt
import numpy as np
import pytest

import hspy_ml

from .test_ml_quantify import GLASS, bulk_signal, quantified

SHAPES = [(), (5,), (3, 4), (2, 3, 4)]


@pytest.fixture(scope="module", params=SHAPES, ids=str)
def result(request):
    return quantified(bulk_signal(GLASS, request.param, 2000))


def test_files_bring_back_what_was_saved(result, tmp_path):
    path = tmp_path / "composition.hspy"
    result.save(path)
    loaded = hspy_ml.load_result(path)
    assert loaded.elements == result.elements
    assert loaded.summary == result.summary
    assert loaded.table() == result.table()
    for first, second in zip(result, loaded, strict=True):
        np.testing.assert_array_equal(first.data, second.data)
        assert first.axes_manager.navigation_shape == (
            second.axes_manager.navigation_shape
        )
    np.testing.assert_array_equal(result.total.data, loaded.total.data)
    np.testing.assert_array_equal(result.g_matrix.matrix, loaded.g_matrix.matrix)
    assert result.fitted_spectrum.data.shape == loaded.fitted_spectrum.data.shape


def test_hyperspy_loads_the_file_as_maps(result, tmp_path):
    path = tmp_path / "composition.hspy"
    result.save(path)
    maps = hs.load(path)
    assert maps.axes_manager.navigation_axes[0].name == "Element"
    np.testing.assert_array_equal(maps.data[2].ravel(), result[2].data.ravel())


def test_other_files_and_names_are_refused(result, tmp_path):
    with pytest.raises(ValueError, match=r"\.hspy"):
        result.save(tmp_path / "composition.npy")
    result[0].save(tmp_path / "map.hspy")
    with pytest.raises(ValueError, match="holds no result"):
        hspy_ml.load_result(tmp_path / "map.hspy")


def test_it_draws_itself_whatever_the_map(result):
    if len(result.frame.map_shape) > 2:
        with pytest.raises(ValueError, match="two axes at most"):
            result.plot()
        return
    figure = result.plot()
    assert figure.axes
    plt.close(figure)


def test_maps_go_into_hyperspys_own_plot():
    found = quantified(bulk_signal(GLASS, (3, 4), 2000))
    axes = hs.plot.plot_images([image.T for image in found])
    assert len(axes) == len(found)
    plt.close("all")


def test_the_table_has_every_element_and_the_unit(result):
    lines = repr(result).splitlines()
    assert "wt.%" in lines[0]
    for element in result.elements:
        assert any(line.split()[:1] == [element] for line in lines)


def test_copies_are_equal(result):
    other = copy.deepcopy(result)
    assert other.table() == result.table()
    assert [x.data.tolist() for x in other] == [x.data.tolist() for x in result]
