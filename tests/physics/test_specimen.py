# SPDX-License-Identifier: GPL-3.0-or-later
"""A specimen that cannot be is refused."""

import numpy as np
import pytest

from hspy_ml.physics.specimen import Specimen


def test_nothing_known_is_a_film_that_does_not_absorb():
    specimen = Specimen({})
    assert (specimen.geometry, specimen.mass_thickness) == ("film", 0.0)


def test_changing_the_given_mapping_changes_nothing():
    fractions = {"Fe": 0.7, "O": 0.3}
    specimen = Specimen(fractions)
    fractions["Fe"] = 0.1
    assert specimen.mass_fractions == {"Fe": 0.7, "O": 0.3}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (({"Fe": 0.7},), "`mass_fractions` sum to 0.7"),
        (({"Fe": 1.7, "O": -0.7},), "`mass_fractions`"),
        (({"Fe": np.nan},), "`mass_fractions`"),
        (({}, "wedge"), "`geometry` is 'wedge'"),
        (({}, "film", -1e-5), "`mass_thickness` is -1e-05"),
        (({}, "film", np.inf), "`mass_thickness`"),
    ],
)
def test_impossible_specimens(arguments, named):
    with pytest.raises(ValueError, match=named):
        Specimen(*arguments)
