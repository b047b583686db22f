# SPDX-License-Identifier: GPL-3.0-or-later
"""A result beside the truth: matching, scores, table and figure."""

from dataclasses import replace

import matplotlib
import numpy as np
import pytest

import hspy_ml
from hspy_ml.factorization.factorization import Factorization
from hspy_ml.signals.comparison import Comparison, best_permutation
from hspy_ml.signals.comparison_plot import plot_comparison
from hspy_ml.signals.peak_labels import (
    Peak,
    draw_peak_labels,
    peaks_of_elements,
    spread,
)
from hspy_ml.signals.result import PhysicsNMFResult
from hspy_ml.signals.simulation_truth import SimulationTruth

ORDER = [2, 0, 1]
PHASES = {"quartz": "SiO2", "wuestite": "FeO", "lime": "CaO"}


@pytest.fixture(scope="module")
def image():
    return hspy_ml.simulate(PHASES, (14, 17), 30, n_channels=600, random_state=0)


@pytest.fixture(scope="module")
def truth(image):
    return SimulationTruth.from_signal(image)


def perfect_result(image, truth):
    """The truth as a result, with the phases in another order."""
    maps = truth.abundances.reshape(-1, 3)[:, ORDER]
    loss = np.array([1.0])
    found = Factorization(
        truth.weights[:, ORDER], maps, np.ones(len(maps)), loss, True, 1
    )
    covariance = np.array([np.diag((0.1 * w) ** 2) for w in truth.weights.T])[ORDER]
    return PhysicsNMFResult.from_factorization(
        image, found, hspy_ml.g_matrix(image), weights_covariance=covariance
    )


@pytest.fixture(scope="module")
def comparison(image, truth):
    return Comparison.of(perfect_result(image, truth), truth)


def test_the_truth_compared_with_itself_has_no_error(comparison, truth):
    np.testing.assert_allclose(comparison.normalised_errors, 0, atol=1e-20)
    np.testing.assert_allclose(comparison.spectral_angles, 0, atol=1e-4)
    assert comparison.atomic_percent_deviation < 1e-9
    np.testing.assert_allclose(comparison.atomic_percent, truth.atomic_percent)
    np.testing.assert_allclose(comparison.abundances, truth.abundances)


def test_scores_of_known_errors(comparison, truth):
    off = replace(
        comparison,
        abundances=1.1 * truth.abundances,
        atomic_percent=truth.atomic_percent + np.array([3.0, -3.0, 0.0, 0.0]),
    )
    np.testing.assert_allclose(off.normalised_errors, 0.01)
    assert off.atomic_percent_deviation == pytest.approx(1.5)


def test_angles_are_those_between_spectra(comparison, truth):
    turned = np.roll(truth.spectra, 1, axis=0)
    lengths = np.linalg.norm(truth.spectra, axis=1)
    cosine = truth.spectra[0] @ truth.spectra[2] / lengths[0] / lengths[2]
    angles = replace(comparison, spectra=turned).spectral_angles
    assert angles[0] == pytest.approx(np.degrees(np.arccos(cosine)))


def test_maps_are_matched_whatever_their_order_and_gaps():
    true = np.random.default_rng(0).dirichlet([0.3] * 4, size=(6, 7))
    order = np.array([2, 3, 0, 1])
    found = true[..., order] + 0.01
    found[2, 3] = np.nan
    np.testing.assert_array_equal(order[best_permutation(found, true)], range(4))


def test_a_result_of_other_phases_or_elements_is_refused(image, truth):
    result = perfect_result(image, truth)
    with pytest.raises(ValueError, match=r"`output_dimension=2`"):
        Comparison.of(
            result,
            replace(truth, abundances=truth.abundances[..., :2], phases=["a", "b"]),
        )
    with pytest.raises(ValueError, match=r"lacks the elements \['Xe'\]"):
        Comparison.of(result, replace(truth, elements=["Xe", *truth.elements[1:]]))


def test_the_table_stands_beside_the_truth(comparison):
    lines = comparison.table.splitlines()
    assert lines[0].split() == ["quartz", "wuestite", "lime"]
    silicon = next(line for line in lines if line.startswith("Si")).split()
    assert silicon[:5] == ["Si", "33.3", "±", "3.1", "33.3"]
    assert max(map(len, lines)) <= 80
    without = replace(comparison, atomic_percent_errors=np.full((3, 4), np.nan)).table
    assert "±" not in without


def test_the_figure_shows_every_phase(comparison, image):
    matplotlib.use("Agg")
    figure = plot_comparison(comparison, image, hspy_ml.g_matrix(image), "in 3 s")
    figure.canvas.draw()
    texts = {text.get_text() for ax in figure.axes for text in ax.texts}
    assert {"Si", "Fe", "Ca", "O"} <= texts
    assert "0.00 at.%" in texts
    assert {*PHASES} <= {ax.get_ylabel() for ax in figure.axes}
    maps = [ax for ax in figure.axes if ax.images]
    # The image, and two maps for each phase, beside the four colour bars.
    assert len(maps) == 7
    np.testing.assert_array_equal(
        maps[1].images[0].get_array(), maps[2].images[0].get_array()
    )
    matplotlib.pyplot.close(figure)


def test_peaks_are_where_the_lines_are(image, truth):
    peaks = peaks_of_elements(hspy_ml.g_matrix(image), truth.weights[:, 1])
    assert {peak.element for peak in peaks} == {"Fe", "O"}
    energies = [peak.energy for peak in peaks]
    assert energies == sorted(energies)
    # O Ka 0.525 keV; the axis ends at 6 keV, below Fe Ka, so Fe L 0.705 keV is left.
    assert energies[:2] == pytest.approx([0.525, 0.705], abs=0.015)


def test_labels_keep_their_distance_and_their_order():
    places = np.array([0.1, 0.11, 0.12, 0.5, 0.98, 0.99])
    moved = spread(places, 0.05)
    assert np.diff(moved).min() > 0.05 - 1e-12
    assert moved[3] == pytest.approx(0.5)
    assert moved[1] == pytest.approx(0.11)
    assert moved[-1] <= 1
    np.testing.assert_allclose(spread(np.array([0.2, 0.4]), 0.05), [0.2, 0.4])


def test_small_and_outside_peaks_have_no_label():
    figure = matplotlib.figure.Figure()
    ax = figure.add_subplot(xlim=(1, 5), ylim=(0, 10))
    energy = np.linspace(0, 10, 101)
    spectrum = np.full(101, 4.0)
    peaks = [Peak("O", 0.5, 4.0), Peak("Si", 2.0, 3.0), Peak("Nd", 3.0, 0.1)]
    draw_peak_labels(ax, peaks, energy, spectrum)
    assert [text.get_text() for text in ax.texts] == ["Si"]
    draw_peak_labels(ax, [], energy, spectrum)
    assert len(ax.texts) == 1
