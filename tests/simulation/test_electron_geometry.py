# SPDX-License-Identifier: GPL-3.0-or-later
"""Targets, and straight lines through them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hspy_ml.simulation.electron_kernels import deflect
from hspy_ml.simulation.electron_tables import geometry_of
from hspy_ml.simulation.geometry_kernels import (
    distance_to_boundary,
    lengths_to_outside,
    region_at,
)
from hspy_ml.simulation.targets import (
    Box,
    Film,
    Material,
    Sphere,
    Target,
    bulk,
    films,
    material,
    particle_on_substrate,
)

SIO2, CU = material("SiO2", 2.2), material("Cu")
LAYERS = films([Film(SIO2, 40.0), Film(CU, 25.0)], material("Si"))
SPHERE = particle_on_substrate(Sphere(80.0), SIO2, CU)
BOX = particle_on_substrate(Box(60.0, 100.0, 30.0), SIO2, CU)
FREE = films([Film(SIO2, 40.0), Film(CU, 25.0)])


@pytest.mark.parametrize(
    "target, point, region",
    [
        (LAYERS, (3, 4, -1), -1),
        (LAYERS, (3, 4, 39), 0),
        (LAYERS, (3, 4, 64), 1),
        (LAYERS, (3, 4, 1e9), 2),
        (FREE, (0, 0, 66), -1),
        (SPHERE, (0, 0, -79), 1),
        (SPHERE, (39, 0, -79), -1),
        (SPHERE, (39, 0, 5), 0),
        (BOX, (29, 49, -29), 1),
        (BOX, (31, 49, -29), -1),
        (BOX, (29, 49, -31), -1),
    ],
)
def test_regions_are_where_they_should_be(target, point, region):
    assert region_at.py_func(geometry_of(target), *map(float, point)) == region


def test_path_out_of_layers_is_thickness_over_cosine():
    lengths = np.empty(3)
    up = (np.sqrt(0.75), 0.0, -0.5)
    lengths_to_outside(geometry_of(LAYERS), 2, 1.0, 2.0, 72.0, *up, lengths)
    assert lengths == pytest.approx([80, 50, 14], abs=1e-4)


def test_path_out_of_the_substrate_crosses_the_particle_above():
    """From 5 below the centre of a sphere of radius 40, straight up."""
    lengths = np.empty(2)
    lengths_to_outside(geometry_of(SPHERE), 0, 0.0, 0.0, 5.0, 0.0, 0.0, -1.0, lengths)
    assert lengths == pytest.approx([5, 80], abs=1e-4)
    lengths_to_outside(geometry_of(SPHERE), 0, 0.0, 50.0, 5.0, 0.0, 0.0, -1.0, lengths)
    assert lengths == pytest.approx([5, 0], abs=1e-4)


def test_a_ray_from_above_meets_the_particle_or_the_substrate():
    geometry = geometry_of(BOX)
    down = (0.0, 0.0, 1.0)
    assert distance_to_boundary(geometry, -1, 1.0, 2.0, -50.0, *down) == 20
    assert distance_to_boundary(geometry, -1, 31.0, 2.0, -50.0, *down) == 50
    sideways = (1.0, 0.0, 0.0)
    assert distance_to_boundary(geometry, -1, -70.0, 2.0, -9.0, *sideways) == 40
    assert distance_to_boundary(geometry, -1, -70.0, 2.0, -35.0, *sideways) == np.inf


def test_what_leaves_free_films_downwards_does_not_come_back():
    geometry = geometry_of(FREE)
    assert distance_to_boundary(geometry, -1, 0.0, 0.0, 70.0, 0.6, 0.0, 0.8) == np.inf


coordinate = st.floats(-120, 120)
cosine = st.floats(-1, 1).filter(lambda w: w == 0 or abs(w) > 1e-9)


@settings(max_examples=200, deadline=None)
@given(coordinate, coordinate, st.floats(-100, 100), cosine, st.floats(0, 6.28))
def test_a_ray_stays_in_its_region_up_to_the_boundary(x, y, z, w, azimuth):
    """Compiled and as Python; the region just before the boundary is the same."""
    sine = np.sqrt(1 - w * w)
    ray = (sine * np.cos(azimuth), sine * np.sin(azimuth), w)
    for target in (LAYERS, SPHERE, BOX, FREE):
        geometry = geometry_of(target)
        region = region_at(geometry, x, y, z)
        if region == -1 and z > 0 and w <= 0:
            continue  # nothing flies up from below free films
        length = distance_to_boundary(geometry, region, x, y, z, *ray)
        plain = distance_to_boundary.py_func(geometry, region, x, y, z, *ray)
        assert length == pytest.approx(plain)
        for part in (0.3, 0.999):
            step = part * min(length, 500.0)
            there = (x + step * ray[0], y + step * ray[1], z + step * ray[2])
            assert length < 1e-6 or region_at(geometry, *there) == region


@settings(max_examples=100, deadline=None)
@given(cosine, st.floats(0, 6.28), cosine, st.floats(0, 6.28))
def test_deflection_is_by_the_angle_asked_for(w, around, deflection, azimuth):
    sine = np.sqrt(1 - w * w)
    before = np.array([sine * np.cos(around), sine * np.sin(around), w])
    after = np.array(deflect.py_func(*before, deflection, azimuth))
    assert after @ after == pytest.approx(1, abs=1e-9)
    assert before @ after == pytest.approx(deflection, abs=1e-7)
    assert after == pytest.approx(deflect(*before, deflection, azimuth), abs=1e-12)


def test_materials_know_their_fractions_and_density():
    assert SIO2.mass_fractions["Si"] == pytest.approx(0.4674, abs=1e-4)
    assert CU.density == pytest.approx(8.96, abs=0.03)
    assert Material({"Si": 1.0, "O": 0.0}, 2.3).mass_fractions == {"Si": 1.0}


def test_targets_name_their_regions():
    assert bulk(CU).regions == ("substrate",)
    assert LAYERS.regions == ("film 1", "film 2", "substrate")
    assert FREE.regions == ("film 1", "film 2")
    assert SPHERE.regions == ("substrate", "particle")
    assert [m.density for m in SPHERE.materials] == [CU.density, 2.2]


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: material("SiO2"), "`density` of 'SiO2' is missing"),
        (lambda: material("Xx"), "`formula` 'Xx' cannot be read"),
        (lambda: Material({"Si": 0.5}, 2.3), "`mass_fractions` sum to 0.5"),
        (lambda: Material({}, 2.3), "`mass_fractions` is empty"),
        (lambda: material("Si", -1.0), "`density` is -1.0"),
        (lambda: Film(CU, 0.0), "`thickness_nm` is 0.0"),
        (lambda: Sphere(np.nan), "`diameter_nm` is nan"),
        (lambda: Box(1.0, 2.0, -3.0), "`height_nm` is -3.0"),
        (lambda: Target(), "`films` or a `substrate`"),
    ],
)
def test_impossible_targets_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
