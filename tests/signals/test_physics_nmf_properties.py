# SPDX-License-Identifier: GPL-3.0-or-later
"""`physics_nmf` of anything: a valid result, or an error that names a parameter."""

import warnings

import exspy
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

shapes = st.lists(st.integers(1, 4), max_size=3).map(tuple)
dtypes = st.sampled_from(
    ["uint8", ">u2", "int16", "uint64", "float16", "float32", ">f8", "bool"]
)
odd_values = st.sampled_from([None] * 24 + [np.nan, np.inf, -1.0, 0.25, 200.0, 1e30])
output_dimensions = st.sampled_from([1, 1, 2, 2, 2, 3, 4, "auto", 0, 1.5])
options = st.fixed_dictionaries(
    {
        "mass_thickness": st.sampled_from(["auto", "constant", "free"]),
        "resemblance": st.sampled_from([None, None, 0.0, 5.0]),
        "max_iterations": st.sampled_from([1, 30, 100]),
    },
    optional={
        "algorithm": st.sampled_from(["variational", "likelihood"]),
        "smoothness": st.sampled_from([0.0, 1.0]),
        "sparsity": st.sampled_from([0.0, 0.3]),
        "num_workers": st.sampled_from([1, 2]),
    },
)


@st.composite
def masks(draw, shape):
    """No mask, one that fits, or one of another shape or type."""
    kind = draw(st.sampled_from(["none", "none", "fits", "fits", "shape", "type"]))
    if kind == "none":
        return None
    if kind == "shape":
        shape = (*shape, 2)
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    mask = rng.random(shape) < draw(st.sampled_from([0.1, 0.5, 1.0]))
    return mask.astype(int) if kind == "type" else mask


@st.composite
def signals(draw):
    """Poisson counts, rare or many, in memory or in chunks, with an odd value."""
    shape = (*draw(shapes), draw(st.sampled_from([31, 47, 64, 64, 2])))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    mean = draw(st.sampled_from([0.3, 0.02, 3.0, 60.0, 0.0]))
    data = rng.poisson(mean, shape).astype(float)
    value = draw(odd_values)
    if value is not None:
        data.flat[draw(st.integers(0, data.size - 1))] = value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        s = exspy.signals.EDSTEMSpectrum(data.astype(draw(dtypes)))
    axis = s.axes_manager[-1]
    axis.scale, axis.offset = 10.0 / shape[-1], draw(st.sampled_from([0.0, -0.3]))
    axis.units = "keV"
    s.set_microscope_parameters(
        beam_energy=100.0, elevation_angle=20.0, azimuth_angle=0.0, tilt_stage=0.0
    )
    s.set_microscope_parameters(energy_resolution_MnKa=130.0)
    s.set_elements(draw(st.sampled_from([["Fe", "O"], ["Si"], ["Al", "Cu", "Mg"]])))
    if draw(st.booleans()):
        chunks = tuple(draw(st.integers(1, size)) for size in shape)
        s = s.as_lazy(chunks=chunks)
    return s


def _check_result(result, s, navigation_mask):
    map_shape = s.data.shape[:-1] or (1,)
    maps = result.abundances.data.reshape(result.n_phases, *map_shape)
    missing = np.isnan(maps).any(axis=0)
    np.testing.assert_array_equal(missing, np.isnan(maps).all(axis=0))
    excluded = np.zeros(map_shape, bool)
    if navigation_mask is not None:
        mask = navigation_mask  # as HyperSpy takes it: in the order x, y if it can be
        excluded = mask.T if mask.shape == map_shape[::-1] else mask
    assert missing[excluded].all()
    if result.settings["mass_thickness"] == "constant":
        assert not missing[~excluded].any()
    assert (maps[:, ~missing] >= 0).all()
    np.testing.assert_allclose(maps[:, ~missing].sum(axis=0), 1, atol=1e-5)
    for signal in (result.spectra, result.continuum, *result.element_spectra.values()):
        assert np.isfinite(signal.data).all() and (signal.data >= 0).all()
    assert np.isfinite(result.loss).all()
    percent = np.array([c.data.reshape(-1) for c in result.concentrations]).sum(axis=0)
    np.testing.assert_allclose(percent[np.isfinite(percent)], 100)
    assert result.deviance_map.data.size == excluded.size
    repr(result)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data(), s=signals(), number=output_dimensions, options=options)
def test_a_valid_result_or_an_error_that_names_a_parameter(data, s, number, options):
    map_shape = s.data.shape[:-1] or (1,)
    navigation_mask = data.draw(masks(map_shape), "navigation_mask")
    signal_mask = data.draw(masks(s.data.shape[-1:]), "signal_mask")
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", UserWarning)
        try:
            result = s.physics_nmf(
                number,
                navigation_mask=navigation_mask,
                signal_mask=signal_mask,
                random_state=1,
                show_progressbar=False,
                **options,
            )
        except (ValueError, TypeError) as error:
            assert "`" in str(error), error
            return
        _check_result(result, s, navigation_mask)


def test_most_of_the_examples_above_are_valid():
    """Else the test above would test little but errors."""
    valid = []

    @settings(max_examples=60, deadline=None, database=None, derandomize=True)
    @given(s=signals())
    def count(s):
        data = np.asarray(s.data)
        counts = data.astype(float)
        usable = data.dtype.kind in "uif" and np.isfinite(counts).all()
        valid.append(usable and (counts >= 0).all() and counts.any())

    count()
    assert np.mean(valid) > 0.4


@pytest.mark.parametrize("threshold", [0.0, 1.0, 5.0])
def test_a_threshold_gives_a_result_or_names_itself(eds, threshold):
    s = eds((3, 5), n_channels=64)
    try:
        result = s.physics_nmf(2, navigation_mask=threshold, random_state=1)
    except ValueError as error:
        assert "`navigation_mask`" in str(error)
    else:
        assert np.isfinite(result.spectra.data).all()
