# SPDX-License-Identifier: GPL-3.0-or-later
"""Fractions of elements and their errors, against known compounds and sampling."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hspy_ml.physics.fractions import (
    conversion_factors,
    fraction_errors,
    fractions,
    mixture_fraction_errors,
    reference_columns,
)
from hspy_ml.physics.gmatrix import Column, GMatrix

ELEMENTS = ("Fe", "O", "Si", "Pt")


def test_haematite_has_two_iron_atoms_for_three_of_oxygen():
    # Fe2O3: 69.94 weight percent of iron
    to_atoms = conversion_factors(("Fe", "O"), "mass", "atomic")
    found = fractions(np.array([69.94, 30.06]), to_atoms)
    np.testing.assert_allclose(found, [0.4, 0.6], atol=2e-4)
    to_mass = conversion_factors(("Fe", "O"), "atomic", "weight")
    np.testing.assert_allclose(
        fractions(np.array([2.0, 3.0]), to_mass), [0.6994, 0.3006], atol=1e-4
    )


@pytest.mark.parametrize("units", ["atomic", "weight"])
def test_mass_and_atoms_of_one_compound_give_the_same_fractions(units):
    atoms = np.array([2.0, 3.0, 0.5, 1.0])
    masses = atoms * conversion_factors(ELEMENTS, "atomic", "weight")
    np.testing.assert_allclose(
        fractions(atoms, conversion_factors(ELEMENTS, "atomic", units)),
        fractions(masses, conversion_factors(ELEMENTS, "mass", units)),
    )


def test_nothing_has_no_composition():
    assert np.isnan(fractions(np.zeros((2, 3)), np.ones(3))).all()


def test_unknown_units_are_refused():
    with pytest.raises(ValueError, match="composition_units"):
        conversion_factors(ELEMENTS, "mass", "percent")


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"Fe L": 9.0, "Fe K": 5.0}, "Fe K"),  # L of iron: shape only
        ({"Fe L": 9.0}, "Fe L"),
        ({"Ag K": 0.2, "Ag L": 3.0}, "Ag L"),  # hardly any K is detected
        ({"Ag K": 0.4, "Ag L": 3.0}, "Ag K"),
        ({"Pt L": 1.0, "Pt M": 5.0}, "Pt L"),
        ({"Ce M": 5.0, "Ce L": 1.0}, "Ce L"),  # M of cerium: shape only
        ({"U M": 5.0}, "U M"),
    ],
)
def test_elements_are_quantified_by_lines_that_are_known_and_seen(counts, expected):
    shape_only = ("Fe L", "Ce M")
    columns = [
        Column(name, "element", *name.split(), name not in shape_only)
        for name in counts
    ]
    columns.append(Column("continuum 0", "continuum"))
    g_matrix = GMatrix(np.array([[*counts.values(), 20.0]]), tuple(columns))
    (index,) = reference_columns(g_matrix).values()
    assert columns[index].name == expected


AMOUNTS = hnp.arrays(float, 4, elements=st.floats(0.01, 10))


@settings(max_examples=50, deadline=None)
@given(AMOUNTS, st.floats(1e-3, 1e3), st.floats(0, 0.3))
def test_errors_of_fractions_do_not_depend_on_the_dose(amounts, dose, spread):
    factors = conversion_factors(ELEMENTS, "mass", "atomic")
    covariance = np.diag((spread * amounts) ** 2)
    np.testing.assert_allclose(
        fraction_errors(dose * amounts, dose**2 * covariance, factors),
        fraction_errors(amounts, covariance, factors),
        rtol=1e-6,
        atol=1e-12,
    )


@settings(max_examples=50, deadline=None)
@given(AMOUNTS, st.floats(1e-4, 0.3))
def test_an_error_of_the_dose_alone_leaves_the_fractions_exact(amounts, spread):
    covariance = spread**2 * np.outer(amounts, amounts)
    errors = fraction_errors(amounts, covariance, np.array([1.0, 2.0, 3.0, 0.5]))
    np.testing.assert_allclose(errors, 0, atol=1e-7)


def _covariance(rng, scale):
    root = rng.normal(size=(scale.size, scale.size)) * scale[:, None] * 0.01
    return root @ root.T


def test_errors_agree_with_sampling():
    rng = np.random.default_rng(5)
    factors = conversion_factors(ELEMENTS, "mass", "atomic")
    amounts = np.array([3.0, 1.0, 0.4, 2.0])
    covariance = _covariance(rng, amounts)
    samples = rng.multivariate_normal(amounts, covariance, size=40_000)
    np.testing.assert_allclose(
        fraction_errors(amounts, covariance, factors),
        fractions(samples, factors).std(axis=0),
        rtol=0.03,
    )


def test_errors_of_a_mixture_agree_with_sampling():
    rng = np.random.default_rng(8)
    factors = conversion_factors(ELEMENTS, "mass", "atomic")
    amounts = np.array([[3.0, 1.0, 0.4, 2.0], [0.2, 4.0, 2.0, 0.1], [1.0, 1, 0.1, 5]])
    covariances = np.array([_covariance(rng, a) for a in amounts])
    abundances = np.array([[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])
    # abundances sum to one, so their errors sum to zero
    project = np.eye(3) - 1 / 3
    abundance_covariance = np.array([project * 2e-4, project * 5e-4])
    found = mixture_fraction_errors(
        abundances, amounts, covariances, abundance_covariance, factors
    )
    for pixel in range(2):
        h = rng.multivariate_normal(
            abundances[pixel], abundance_covariance[pixel], size=40_000
        )
        a = np.stack(
            [
                rng.multivariate_normal(amounts[k], covariances[k], size=40_000)
                for k in range(3)
            ],
            axis=1,
        )
        sampled = fractions(np.einsum("sk,ske->se", h, a), factors).std(axis=0)
        np.testing.assert_allclose(found[pixel], sampled, rtol=0.04)


def test_excluded_pixels_have_no_errors():
    abundances = np.array([[0.5, 0.5], [np.nan, np.nan]])
    errors = mixture_fraction_errors(
        abundances,
        np.ones((2, 4)),
        np.tile(np.eye(4), (2, 1, 1)),
        np.tile(np.eye(2), (2, 1, 1)),
        np.ones(4),
    )
    assert np.isfinite(errors[0]).all() and np.isnan(errors[1]).all()
