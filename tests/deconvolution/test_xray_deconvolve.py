# SPDX-License-Identifier: GPL-3.0-or-later
"""X-ray spectra sharpened: lines apart, areas kept, errors that hold, flags."""

import numpy as np
import pytest
from xray_peaks import acquisition, depth_between, lines, measured

from hspy_ml.deconvolution.xray_deconvolve import prepare_xray_deconvolution
from hspy_ml.deconvolution.xray_response import XrayResponse

ACQ = acquisition()
PAIRS = {
    "O Ka, Cr La": (0.525, 0.573),
    "Mo La, Pb Ma": (2.293, 2.345),
    "Ce La, Ti Kb": (4.840, 4.932),
}
CENTRES, AREAS = [0.277, 0.525, 1.74, 5.899, 6.49], np.array([0.5, 1.0, 2.0, 1.0, 0.13])


def deconvolved(counts, acq=ACQ, **options):
    options = {"method": "richardson-lucy", **options}
    return prepare_xray_deconvolution(counts, acq, **options).apply(counts)


@pytest.mark.parametrize("pair", PAIRS)
def test_overlapping_lines_become_two(pair):
    """With 100,000 counts in each; the detector shows one peak."""
    first, second = PAIRS[pair]
    counts, _ = measured(ACQ, [first, second], [1e5, 1e5])
    before = depth_between(lines(ACQ, [first, second], [1.0, 1.0]), ACQ, first, second)
    after = depth_between(deconvolved(counts).spectra[0], ACQ, first, second)
    assert before < 0
    assert after > 0.05


@pytest.fixture(scope="module")
def some():
    counts, truth = measured(ACQ, CENTRES, 1e4 * AREAS, n=8, background=20.0)
    return counts, truth, deconvolved(counts)


def test_counts_and_areas_are_kept(some):
    counts, truth, found = some
    np.testing.assert_allclose(found.spectra.sum(axis=1), counts.sum(axis=1), rtol=1e-6)
    near = np.abs(ACQ.energy - 1.74) < 0.12
    area, wanted = found.spectra[:, near].sum(axis=1), truth[near].sum()
    assert np.abs(area / wanted - 1).max() < 4 / np.sqrt(wanted)


def test_the_truth_is_nearer_than_the_data(some):
    counts, truth, found = some
    before = ((counts - truth) ** 2).sum(axis=1)
    after = ((found.spectra - truth) ** 2).sum(axis=1)
    assert (after < 0.12 * before).all()


def test_errors_cover(some):
    _, truth, found = some
    off = np.abs(found.spectra - truth)
    assert 0.60 < (off < found.errors).mean() < 0.78
    assert 0.90 < (off < 1.96 * found.errors).mean() < 0.98


def test_refolded_explains_the_data(some):
    counts, _, found = some
    assert 0.6 < found.deviance.mean() < 1.1
    assert not found.flagged.any()
    np.testing.assert_allclose(
        found.refolded, XrayResponse.of_detector(ACQ).forward(found.spectra)
    )


def test_lines_narrower_than_the_detector_allows_are_flagged():
    narrow = acquisition(resolution_eV=70.0)
    counts = np.random.default_rng(0).poisson(lines(narrow, CENTRES, 1e4 * AREAS) + 5)
    found = deconvolved(counts[None])
    assert found.flagged.all()
    assert found.deviance[0] > 1.5


def test_a_block_does_not_matter(some):
    counts, _, found = some
    deconvolver = prepare_xray_deconvolution(counts, ACQ, method="richardson-lucy")
    alone = deconvolver.apply(counts[3:4])
    np.testing.assert_array_equal(alone.spectra[0], found.spectra[3])
    np.testing.assert_array_equal(alone.errors[0], found.errors[3])


def test_few_counts_and_empty_pixels():
    counts, _ = measured(ACQ, CENTRES, 6 * AREAS, n=12)
    counts[2] = 0
    found = deconvolved(counts)
    for part in (found.spectra, found.errors, found.refolded, found.deviance):
        assert np.isfinite(part).all()
    assert not found.spectra[2].any()
    assert not found.flagged.any()


def test_spectra_that_are_not_finite_are_left_out(some):
    counts, _, found = some
    holed = counts.astype(float)
    holed[1, 100] = np.nan
    same = deconvolved(holed)
    assert np.isnan(same.spectra[1]).all()
    assert same.flagged.tolist() == [False, True] + 6 * [False]
    assert np.isfinite(same.spectra[2:]).all()


def test_gain_and_kinds_of_numbers(some):
    counts, _, found = some
    for kind in (np.uint16, np.float32):
        same = deconvolved(counts[:2].astype(kind))
        again = deconvolved(counts[:2])
        np.testing.assert_array_equal(same.spectra, again.spectra)
    scaled = deconvolved(counts * 7.0, gain=7.0)
    np.testing.assert_allclose(scaled.spectra, 7 * found.spectra, rtol=1e-6)
    np.testing.assert_allclose(scaled.errors, 7 * found.errors, rtol=1e-6)


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        (lambda c: c * np.nan, {}, "finite"),
        (lambda c: c - 1, {}, "negative"),
        (lambda c: c[:, 1:], {}, "1023"),
        (lambda c: c[0], {}, "shape"),
        (lambda c: c, {"method": "fourier"}, "`method` is 'fourier'"),
        (lambda c: c, {"gain": 0.0}, "`gain` is 0.0"),
    ],
)
def test_bad_input(some, change, options, message):
    with pytest.raises(ValueError, match=message):
        deconvolved(change(some[0]), **options)
