# SPDX-License-Identifier: GPL-3.0-or-later
"""`deconvolve_net` on EDS signals."""

import numpy as np
import pytest

import hspy_ml

QUIET = {"show_progressbar": False}


@pytest.fixture(scope="module")
def titanate():
    """Barium titanate: Ba Lb1 (4.83 keV) and Ti Kb (4.93 keV) are one peak."""
    return hspy_ml.simulate({"a": "BaTiO3"}, (2, 3), 2e5, random_state=1)


@pytest.fixture(scope="module")
def sharp(titanate):
    return titanate.deconvolve_net(**QUIET)


def test_lines_become_separate_and_counts_stay(titanate, sharp):
    energy = sharp.axes_manager[-1].axis
    first, dip, last = (np.argmin(np.abs(energy - e)) for e in (4.83, 4.885, 4.93))
    before, after = titanate.data.sum(axis=(0, 1)), sharp.data.sum(axis=(0, 1))
    assert before[dip] > 0.85 * min(before[first], before[last])
    assert after[dip] < 0.6 * min(after[first], after[last])
    assert (sharp.data >= 0).all()
    np.testing.assert_allclose(
        sharp.data.sum(axis=-1), titanate.data.sum(axis=-1), rtol=1e-4
    )


def test_it_is_an_eds_signal_with_errors(titanate, sharp):
    assert type(sharp) is type(titanate)
    assert sharp.metadata.Sample.elements == titanate.metadata.Sample.elements
    report = hspy_ml.deconvolution_report(sharp)
    assert report.response is None
    assert report.standard_errors.data.shape == titanate.data.shape
    assert not report.flagged.data.any()
    assert report.plot(titanate, index=(0, 1)).axes


def test_lazy_is_the_same(titanate, sharp):
    lazy = titanate.as_lazy().deconvolve_net(**QUIET)
    assert lazy._lazy
    np.testing.assert_allclose(lazy.data.compute(), sharp.data, rtol=1e-3, atol=0.05)


def test_methods_and_models(titanate):
    found = titanate.inav[0, 0].deconvolve_net(method="richardson-lucy", **QUIET)
    assert hspy_ml.deconvolution_report(found).method == "richardson-lucy"
    with pytest.raises(TypeError, match="XrayModel"):
        titanate.deconvolve_net(3, **QUIET)
    with pytest.raises(ValueError, match="for EELS"):
        titanate.deconvolve_net(read_noise=1.0, **QUIET)
