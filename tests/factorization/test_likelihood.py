# SPDX-License-Identifier: GPL-3.0-or-later
"""Maximum likelihood: never uphill, the right maximum, invariances."""

import warnings
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from hspy_ml.counts import DenseCounts, SparseCounts
from hspy_ml.factorization.likelihood import fit_abundances, maximise_likelihood
from hspy_ml.factorization.penalties import PixelGraph


def sparse(values):
    """Counts as compressed rows."""
    pixels, channels = np.nonzero(values)
    offsets = np.searchsorted(pixels, np.arange(len(values) + 1))
    return SparseCounts(
        offsets,
        channels.astype(np.uint16),
        values[pixels, channels].astype(np.uint32),
        values.shape[1],
    )


# Each phase lacks something that another has, and pure pixels exist: then W and H
# are unique (without noise). Columns by phases.
SHARED = np.array(
    [[3.0, 0, 0], [0, 3, 0], [0, 0, 3], [1, 2, 0], [0, 1, 2]],
)


@dataclass
class Scene:
    """A small map with known truth: 6 x 7 pixels, 40 channels, 5 columns."""

    map_shape: tuple
    g: np.ndarray
    weights: np.ndarray
    abundances: np.ndarray
    values: np.ndarray

    @property
    def counts(self):
        return sparse(self.values)

    @property
    def graph(self):
        return PixelGraph.of_map(self.map_shape)

    @property
    def start(self):
        """Weights and abundances near the truth."""
        rng = np.random.default_rng(11)
        weights = self.weights * rng.uniform(0.8, 1.2, self.weights.shape)
        return weights, 0.8 * self.abundances + 0.2 / self.abundances.shape[1]


def make_scene(counts_per_pixel):
    rng = np.random.default_rng(1)
    map_shape, n_channels, n_columns = (6, 7), 40, 5
    channel = np.arange(n_channels)[:, None]
    centres = np.linspace(4, 35, n_columns)
    g = np.exp(-0.5 * ((channel - centres) / 2.5) ** 2) + 0.005
    weights = SHARED * rng.uniform(0.5, 1.0, SHARED.shape)
    weights *= counts_per_pixel / (g.sum(axis=0) @ weights).mean()
    abundances = rng.dirichlet([0.3] * 3, 42)
    abundances[:3] = np.eye(3)
    values = rng.poisson(abundances @ (g @ weights).T)
    return Scene(map_shape, g, weights, abundances, values)


@pytest.fixture(scope="module")
def scene():
    return make_scene(200.0)


def maximise_briefly(counts, *model, max_iterations=60, **options):
    """Some iterations, converged or not."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The likelihood did not converge")
        return maximise_likelihood(
            counts, *model, max_iterations=max_iterations, **options
        )


@st.composite
def problems(draw):
    """Counts, a start with zeros, and any combination of options."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n_pixels, n_phases = draw(st.integers(1, 9)), draw(st.integers(1, 4))
    n_channels, n_columns = draw(st.integers(2, 12)), draw(st.integers(1, 6))
    mean = draw(st.sampled_from([0.3, 3.0, 1e4]))
    g = rng.random((n_channels, n_columns)) * 10 ** rng.uniform(-3, 3, n_columns)
    g[rng.random(g.shape) < 0.3] = 0
    g[:, 0] += 0.1
    values = rng.poisson(mean * rng.gamma(0.5, 2.0, (n_pixels, n_channels)))
    values[0, 0] += 1
    weights = rng.random((n_columns, n_phases)) * (rng.random(n_phases) < 0.7)
    weights[0] += 0.1
    abundances = rng.random((n_pixels, n_phases))
    abundances[rng.random(abundances.shape) < 0.3] = 0
    abundances[:, 0] += 0.1
    fixed_abundances = draw(st.booleans())
    fixed = rng.random(n_phases) < 0.3
    fixed[0] &= not fixed_abundances
    options = {
        "mass_thickness": draw(st.sampled_from(["constant", "free"])),
        "graph": PixelGraph.of_map((n_pixels,)),
        "smoothness": draw(st.sampled_from([0.0, 0.5, 1e3])),
        "sparsity": draw(st.sampled_from([0.0, 0.1, 20.0])),
        "fixed_phases": fixed,
        "fixed_abundances": fixed_abundances,
    }
    counts = sparse(values) if draw(st.booleans()) else DenseCounts(values)
    return (counts, g, weights, abundances), options


@pytest.mark.filterwarnings("error::RuntimeWarning")
@settings(max_examples=100, deadline=None)
@given(problems())
def test_loss_never_rises(case):
    problem, options = case
    result = maximise_briefly(*problem, tolerance=0.0, **options)
    size = np.maximum(1.0, np.abs(result.loss[:-1]))
    assert (np.diff(result.loss) <= 1e-9 * size).all()
    assert np.isfinite(result.weights).all() and (result.weights >= 0).all()
    seen = result.pixel_scale > 0
    np.testing.assert_allclose(result.abundances[seen].sum(axis=1), 1, rtol=1e-12)
    assert np.isnan(result.abundances[~seen]).all()


@settings(max_examples=30, deadline=None)
@given(problems())
def test_what_is_fixed_stays_bit_for_bit(case):
    (counts, g, weights, abundances), options = case
    before = weights.copy(), abundances.copy()
    result = maximise_briefly(counts, g, weights, abundances, **options)
    held = options["fixed_phases"]
    np.testing.assert_array_equal(result.weights[:, held], weights[:, held])
    if options["fixed_abundances"]:
        np.testing.assert_array_equal(result.pixel_scale, abundances.sum(axis=1))
        np.testing.assert_array_equal(
            result.abundances, abundances / result.pixel_scale[:, None]
        )
    np.testing.assert_array_equal(weights, before[0])
    np.testing.assert_array_equal(abundances, before[1])


@pytest.mark.parametrize("mass_thickness", ["constant", "free"])
def test_loss_is_the_penalised_likelihood(scene, mass_thickness):
    result = maximise_likelihood(
        scene.counts,
        scene.g,
        *scene.start,
        mass_thickness=mass_thickness,
        graph=scene.graph,
        smoothness=7.0,
        sparsity=0.3,
    )
    h = result.abundances * result.pixel_scale[:, None]
    model = h @ (scene.g @ result.weights).T
    likelihood = (scene.values * np.log(model) - model).sum()
    if mass_thickness == "constant":
        maps = h.reshape(*scene.map_shape, -1)
        smoothness = (np.diff(maps, axis=0) ** 2).sum()
        smoothness += (np.diff(maps, axis=1) ** 2).sum()
        likelihood -= 7.0 / 2 * smoothness + 0.3 * np.log(1 + h / 0.05).sum()
        expected = -likelihood / scene.values.sum()
        assert result.loss[-1] == pytest.approx(expected, rel=1e-10)
    # At a maximum over free W the model has the counts that were measured; with
    # penalties on H at constant brightness of the phases, fewer.
    if mass_thickness == "constant":
        assert model.sum() == pytest.approx(scene.values.sum(), rel=1e-3)
    else:
        assert model.sum() < scene.values.sum()
        assert result.pixel_scale.mean() == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("mass_thickness", ["constant", "free"])
def test_truth_is_recovered_from_many_counts(mass_thickness):
    scene = make_scene(1e8)
    thickness = np.ones(42)
    values = scene.values
    if mass_thickness == "free":
        rng = np.random.default_rng(4)
        thickness = rng.uniform(0.5, 2.0, 42)
        thickness /= thickness.mean()
        model = scene.abundances @ (scene.g @ scene.weights).T
        values = rng.poisson(thickness[:, None] * model)
    weights, abundances = scene.start
    # The likelihood leaves the brightness of phases open if the thickness is free.
    totals = scene.g.sum(axis=0)
    weights *= (totals @ scene.weights) / (totals @ weights)
    result = maximise_likelihood(
        sparse(values),
        scene.g,
        weights,
        abundances,
        mass_thickness=mass_thickness,
        tolerance=1e-13,
        max_iterations=20000,
    )
    assert result.converged
    # Ten times the statistical error of a pixel of 1e8 counts.
    np.testing.assert_allclose(result.abundances, scene.abundances, atol=1e-3)
    np.testing.assert_allclose(result.pixel_scale, thickness, rtol=1e-3)
    error = totals[:, None] * np.abs(result.weights - scene.weights)
    assert (error.sum(axis=0) < 1e-3 * (totals @ scene.weights)).all()


def test_oracle_is_the_convex_optimum(scene):
    spectra = scene.g @ scene.weights
    result = fit_abundances(scene.counts, spectra, tolerance=1e-12)
    assert result.converged
    np.testing.assert_array_equal(result.weights, np.eye(3))

    for y, h in zip(scene.values, result.abundances, strict=True):

        def loss(h, y=y):
            model = spectra @ np.maximum(h, 0) + 1e-300
            return (model - y * np.log(model)).sum()

        best = minimize(
            loss,
            np.full(3, 1 / 3),
            jac=lambda h, y=y: spectra.T @ (1 - y / (spectra @ h + 1e-300)),
            method="SLSQP",
            bounds=[(0, 1)] * 3,
            constraints={"type": "eq", "fun": lambda h: h.sum() - 1},
            options={"ftol": 1e-12},
        )
        assert loss(h) <= best.fun + 1e-5
        np.testing.assert_allclose(h, best.x, atol=2e-3)


def test_oracle_does_not_depend_on_the_start(scene):
    spectra = scene.g @ scene.weights
    results = [
        fit_abundances(scene.counts, spectra, start, tolerance=1e-13)
        for start in (None, scene.abundances, 1 - scene.abundances)
    ]
    for other in results[1:]:
        assert other.loss[-1] == pytest.approx(results[0].loss[-1], rel=1e-9)


def test_oracle_with_free_thickness_counts_what_was_measured(scene):
    rng = np.random.default_rng(8)
    thickness = rng.uniform(0.1, 3.0, 42)
    spectra = scene.g @ scene.weights
    values = rng.poisson(thickness[:, None] * (scene.abundances @ spectra.T))
    values[5] = 0
    result = fit_abundances(sparse(values), spectra, mass_thickness="free")
    h = np.nan_to_num(result.abundances) * result.pixel_scale[:, None]
    np.testing.assert_allclose(h @ spectra.sum(axis=0), values.sum(axis=1))
    assert result.pixel_scale[5] == 0 and np.isnan(result.abundances[5]).all()
    np.testing.assert_allclose(np.delete(result.pixel_scale / thickness, 5), 1, atol=1)


def test_mass_thickness_multiplies_the_scale_only(scene):
    spectra = scene.g @ scene.weights
    options = {"mass_thickness": "free", "tolerance": 1e-13}
    once = fit_abundances(scene.counts, spectra, **options)
    twice = fit_abundances(sparse(2 * scene.values), spectra, **options)
    np.testing.assert_allclose(twice.pixel_scale, 2 * once.pixel_scale, rtol=1e-5)
    np.testing.assert_allclose(twice.abundances, once.abundances, atol=1e-5)


def test_sparse_and_dense_agree(scene):
    model = (scene.g, *scene.start)
    options = {"graph": scene.graph, "smoothness": 3.0, "sparsity": 0.2}
    first = maximise_briefly(scene.counts, *model, **options)
    second = maximise_briefly(DenseCounts(scene.values), *model, **options)
    # The same sums in another order, their rounding amplified by extrapolation.
    np.testing.assert_allclose(first.loss, second.loss, rtol=1e-9)
    np.testing.assert_allclose(first.abundances, second.abundances, atol=1e-7)


@pytest.mark.parametrize("mass_thickness", ["constant", "free"])
def test_single_and_double_precision_agree(scene, mass_thickness):
    weights, abundances = scene.start
    results = [
        maximise_likelihood(
            scene.counts,
            scene.g,
            weights,
            abundances.astype(dtype),
            mass_thickness=mass_thickness,
        )
        for dtype in (np.float32, np.float64)
    ]
    assert [r.abundances.dtype for r in results] == [np.float32, np.float64]
    # Both stop within the tolerance, 1e-7 nats per count in a window; the loss is
    # flat there, so that abundances agree to its square root times what a pixel
    # of 200 counts tells.
    assert results[0].loss[-1] == pytest.approx(results[1].loss[-1], abs=3e-6)
    difference = results[0].abundances - results[1].abundances
    assert np.sqrt((difference**2).mean()) < 0.02


def test_order_of_pixels_does_not_matter(scene):
    weights, abundances = scene.start
    order = np.random.default_rng(2).permutation(42)
    options = {"smoothness": 3.0, "max_iterations": 30}
    first = maximise_briefly(
        scene.counts, scene.g, weights, abundances, graph=scene.graph, **options
    )
    second = maximise_briefly(
        sparse(scene.values[order]),
        scene.g,
        weights,
        abundances[order],
        graph=PixelGraph.of_map(scene.map_shape, order),
        **options,
    )
    np.testing.assert_allclose(second.abundances, first.abundances[order], atol=1e-8)
    np.testing.assert_allclose(second.weights, first.weights, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("mass_thickness", ["constant", "free"])
def test_units_of_the_columns_do_not_matter(scene, mass_thickness):
    weights, abundances = scene.start
    weights[weights < np.median(weights)] = 0
    unit = np.array([1e-6, 1.0, 30.0, 1e4, 0.2])
    options = {"mass_thickness": mass_thickness, "max_iterations": 30}
    first = maximise_briefly(scene.counts, scene.g, weights, abundances, **options)
    second = maximise_briefly(
        scene.counts, scene.g * unit, weights / unit[:, None], abundances, **options
    )
    np.testing.assert_allclose(second.abundances, first.abundances, atol=1e-8)
    np.testing.assert_allclose(
        second.weights * unit[:, None], first.weights, rtol=1e-6, atol=1e-9
    )


def test_weights_leave_a_start_of_zero(scene):
    weights, abundances = scene.start
    missing = weights.copy()
    missing[0, 0] = 0
    assert scene.weights[0, 0] > 0.1 * scene.weights.max()
    result = maximise_likelihood(scene.counts, scene.g, missing, abundances)
    whole = maximise_likelihood(scene.counts, scene.g, weights, abundances)
    assert result.weights[0, 0] == pytest.approx(whole.weights[0, 0], rel=0.05)


def test_strong_smoothness_leaves_the_abundances_of_the_summed_spectrum(scene):
    spectra = scene.g @ scene.weights
    summed = fit_abundances(sparse(scene.values.sum(axis=0)[None]), 42 * spectra)
    errors = []
    for strength in (1e3, 1e4, 1e5):
        result = fit_abundances(
            scene.counts, spectra, graph=scene.graph, smoothness=strength
        )
        errors.append(np.abs(result.abundances - summed.abundances).max())
    assert errors[0] > 5 * errors[1] > 25 * errors[2]
    assert errors[2] < 0.005


def test_smoothness_joins_neighbours_only(scene):
    # Without any pairs there is nothing to smooth.
    spectra = scene.g @ scene.weights
    apart = PixelGraph(42, np.empty((2, 0), int))
    plain = fit_abundances(scene.counts, spectra)
    result = fit_abundances(scene.counts, spectra, graph=apart, smoothness=1e6)
    np.testing.assert_allclose(result.abundances, plain.abundances, atol=1e-12)


def test_smoothness_lowers_roughness(scene):
    spectra = scene.g @ scene.weights
    roughness = []
    for strength in (0.0, 3.0, 30.0, 300.0):
        result = fit_abundances(
            scene.counts, spectra, graph=scene.graph, smoothness=strength
        )
        first, second = scene.graph.pairs
        steps = result.abundances[first] - result.abundances[second]
        roughness.append((steps**2).sum())
    assert (np.diff(roughness) < 0).all()


def test_penalties_of_strength_zero_change_nothing(scene):
    model = (scene.counts, scene.g, *scene.start)
    plain = maximise_briefly(*model)
    zero = maximise_briefly(*model, graph=scene.graph, smoothness=0.0, sparsity=0.0)
    np.testing.assert_array_equal(plain.abundances, zero.abundances)
    np.testing.assert_array_equal(plain.weights, zero.weights)


def test_sparsity_drives_small_abundances_down(scene):
    spectra = scene.g @ scene.weights
    plain = fit_abundances(scene.counts, spectra, tolerance=1e-10)
    result = fit_abundances(scene.counts, spectra, sparsity=3.0, tolerance=1e-10)
    small = (plain.abundances > 1e-3) & (plain.abundances < 0.03)
    assert small.sum() > 5
    lowered = result.abundances[small] / plain.abundances[small]
    assert (lowered < 1).all() and np.median(lowered) < 0.5
    pure = (plain.abundances > 0.9) & (plain.abundances < 0.999)
    assert (result.abundances[pure] > plain.abundances[pure]).all()


def test_interrupt_gives_the_last_good_state(scene):
    calls = []

    def stop_after_five(n_passes):
        calls.append(n_passes)
        if len(calls) == 5:
            raise KeyboardInterrupt

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = maximise_likelihood(
            scene.counts, scene.g, *scene.start, progress=stop_after_five
        )
    whole = maximise_briefly(scene.counts, scene.g, *scene.start, max_iterations=15)
    assert result.settings["interrupted"] and not result.converged
    assert result.n_iterations == sum(calls) == 15
    np.testing.assert_array_equal(result.abundances, whole.abundances)
    np.testing.assert_array_equal(result.loss, whole.loss)


def test_running_out_of_iterations_warns_what_to_change(scene):
    with pytest.warns(UserWarning, match="Increase `max_iterations`, or `tolerance`"):
        result = maximise_likelihood(
            scene.counts, scene.g, *scene.start, max_iterations=6, tolerance=1e-12
        )
    assert not result.converged and result.n_iterations == 6


def test_convergence_is_quiet_and_stays(scene):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = maximise_likelihood(scene.counts, scene.g, *scene.start)
    assert result.converged
    again = maximise_briefly(
        scene.counts, scene.g, result.weights, result.abundances, tolerance=0.0
    )
    assert result.loss[-1] - again.loss[-1] < 5e-6


def test_number_of_threads_does_not_matter(scene):
    model = (scene.counts, scene.g, *scene.start)
    one = maximise_briefly(*model, num_workers=1)
    two = maximise_briefly(*model, num_workers=2)
    np.testing.assert_array_equal(one.abundances, two.abundances)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"g": np.ones((40, 4))}, r"`g` has the shape \(40, 4\).*= \(40, 5\)"),
        ({"weights": np.ones(5)}, "`weights` must have the shape"),
        ({"weights": np.full((5, 3), -1.0)}, "`weights` must be finite and non-neg"),
        ({"weights": np.zeros((5, 3))}, "`weights` are all zero"),
        ({"abundances": np.ones((41, 3))}, r"`abundances` has the shape \(41, 3\)"),
        ({"abundances": np.full((42, 3), np.nan)}, "`abundances` must be finite"),
        ({"g": np.eye(40)[:, :5]}, "leave out channels in which all of `g` is zero"),
        ({"counts": sparse(np.zeros((42, 40), int))}, "`counts` are all zero"),
        ({"mass_thickness": "auto"}, r"`mass_thickness` is 'auto'.*constant.*free"),
        ({"smoothness": 1.0}, "`smoothness` needs `graph`"),
        ({"smoothness": -1.0}, "`smoothness` is -1.0"),
        ({"sparsity": np.nan}, "`sparsity` is nan"),
        (
            {"smoothness": 1.0, "graph": PixelGraph.of_map((6, 8))},
            "`graph` has 48 pixels, but `counts` have 42",
        ),
        ({"fixed_phases": [0, 1]}, "`fixed_phases` must hold True or False"),
        (
            {"fixed_phases": np.ones(3, bool), "fixed_abundances": True},
            "leave nothing to fit",
        ),
    ],
)
def test_errors_name_the_parameter_and_the_mend(scene, change, message):
    weights, abundances = scene.start
    given = {"counts": scene.counts, "g": scene.g}
    given |= {"weights": weights, "abundances": abundances} | change
    with pytest.raises(ValueError, match=message):
        maximise_likelihood(**given)
