# SPDX-License-Identifier: GPL-3.0-or-later
"""The G-matrix: absolute scale, invariances, its columns, its errors."""

import time
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hspy_ml.physics.acquisition import Acquisition, Detector, Layer
from hspy_ml.physics.composition import symbol
from hspy_ml.physics.detector import make_detector
from hspy_ml.physics.gmatrix import Column, GMatrix, build_g_matrix
from hspy_ml.physics.specimen import Specimen

PERFECT = Detector("perfect", 130.0, (), Layer((("Si", 1.0),), 1e4))


def acquisition(energy=None, technique="EDS_TEM", beam=200.0, detector=None):
    if energy is None:
        energy = np.arange(2048) * 0.01 - 0.2
    detector = detector or make_detector("windowless")
    return Acquisition(energy, technique, beam, 22.0, detector)


def column_sum(g_matrix, name):
    return g_matrix.matrix[:, g_matrix.names.index(name)].sum()


def test_absolute_scale_of_iron_k():
    # Bote et al. (2009): 3.184271e-22 cm2 at 200 keV; yield 0.3546, 55.85 g/mol
    g_matrix = build_g_matrix(acquisition(detector=PERFECT), ["Fe"])
    by_hand = 6.02214076e23 / 55.85 * 3.184271e-22 * 0.3546
    assert column_sum(g_matrix, "Fe K") == pytest.approx(by_hand, rel=1e-5)


def test_columns_in_the_order_given_and_by_family():
    g_matrix = build_g_matrix(acquisition(), ["Pt", "O", "Fe"])
    assert g_matrix.names == (
        *("Pt L", "Pt M", "O K", "Fe K", "Fe L"),
        *("continuum 0", "continuum 1", "continuum 2", "continuum 3"),
    )
    assert g_matrix.elements == ("Pt", "O", "Fe")
    assert g_matrix.column_indices("Fe").tolist() == [3, 4]
    fe_l = g_matrix.columns[4]
    assert fe_l == Column("Fe L", "element", "Fe", "L", quantitative=False)
    assert g_matrix.concentration == "mass"


def test_a_repeated_element_has_its_columns_once():
    g_matrix = build_g_matrix(acquisition(), ["O", "O"], continuum_degree=None)
    assert g_matrix.names == ("O K",)


def test_peaks_lie_at_their_energies():
    g_matrix = build_g_matrix(acquisition(), ["Si", "Cu"])
    energy = g_matrix.acquisition.energy
    positions = energy[g_matrix.matrix.argmax(axis=0)]
    highest = dict(zip(g_matrix.names, positions, strict=True))
    assert highest["Si K"] == pytest.approx(1.740, abs=0.01)
    assert highest["Cu K"] == pytest.approx(8.046, abs=0.01)
    assert highest["Cu L"] == pytest.approx(0.93, abs=0.02)


def test_merging_channels_adds_element_columns():
    fine = acquisition(0.005 * (np.arange(4000) + 0.5))
    coarse = acquisition(0.010 * (np.arange(2000) + 0.5))
    elements = ["O", "Fe", "Pt"]
    merged = build_g_matrix(fine, elements, continuum_degree=None).matrix
    merged = merged.reshape(2000, 2, -1).sum(axis=1)
    found = build_g_matrix(coarse, elements, continuum_degree=None).matrix
    assert np.allclose(found, merged, atol=1e-8 * found.max())


def test_a_column_does_not_depend_on_the_other_elements():
    alone = build_g_matrix(acquisition(), ["Fe"], continuum_degree=None)
    among = build_g_matrix(acquisition(), ["Pt", "Fe", "O"], continuum_degree=None)
    own = among.matrix[:, among.column_indices("Fe")]
    assert np.array_equal(own, alone.matrix)


def test_continuum_is_comparable_with_the_elements():
    g_matrix = build_g_matrix(acquisition(), ["Fe", "O"])
    sums = g_matrix.matrix.sum(axis=0)
    element = np.array([c.kind == "element" for c in g_matrix.columns])
    assert np.allclose(sums[~element], sums[element].mean())
    assert not g_matrix.matrix[acquisition().energy < 0.05][:, ~element].any()


@pytest.mark.parametrize(("degree", "columns"), [(0, 1), (2, 3), (5, 6), (None, 0)])
def test_degree_of_the_continuum_tem(degree, columns):
    g_matrix = build_g_matrix(acquisition(), ["Fe"], continuum_degree=degree)
    assert sum(c.kind == "continuum" for c in g_matrix.columns) == columns


def test_scanning_continuum_vanishes_at_the_beam_energy():
    energy = np.arange(2048) * 0.01
    film = Specimen({}, geometry="film")
    g_matrix = build_g_matrix(acquisition(energy, "EDS_SEM", 15.0), ["Si"], film)
    continuum = [i for i, c in enumerate(g_matrix.columns) if c.kind == "continuum"]
    assert len(continuum) == 4  # three of the Bernstein basis, Small's
    beyond = g_matrix.matrix[energy >= 15.0][:, continuum]
    assert not beyond.any()
    assert np.all(g_matrix.matrix[energy == 14.0][:, continuum] > 0)


def test_absorption_lowers_soft_lines_and_leaves_hard_ones():
    composition = {"O": 0.2, "Fe": 0.8}
    thin = build_g_matrix(acquisition(), ["O", "Fe"])
    thick = build_g_matrix(
        acquisition(), ["O", "Fe"], Specimen(composition, "film", 4e-5)
    )
    assert column_sum(thick, "O K") < 0.9 * column_sum(thin, "O K")
    assert column_sum(thick, "Fe K") > 0.99 * column_sum(thin, "Fe K")


def test_detector_decides_which_families_are_seen():
    def names(detector):
        seen = acquisition(detector=make_detector(detector))
        return build_g_matrix(seen, ["Cu", "O"], continuum_degree=None).names

    assert names("windowless") == ("Cu K", "Cu L", "O K")
    with pytest.raises(ValueError, match=r"'O' .*0\.525 keV.*'Si\(Li\)'") as error:
        only_hard = replace(
            make_detector("Si(Li)"),
            name="Si(Li)",
            layers=(Layer((("Be", 1.0),), 1e-2),),
        )
        build_g_matrix(acquisition(detector=only_hard), ["Cu", "O"])
    assert "Leave the element out" in str(error.value)


def test_a_family_beyond_the_beam_is_left_out():
    film = Specimen({}, "film")
    low = acquisition(technique="EDS_SEM", beam=5.0)
    names = build_g_matrix(low, ["Fe", "Si"], film, continuum_degree=None).names
    assert names == ("Fe L", "Si K")


def test_below_the_axis_of_the_lines_is_no_family():
    hard_only = acquisition(np.arange(300) * 0.05 + 3.0)
    names = build_g_matrix(hard_only, ["Fe", "Pt"], continuum_degree=None).names
    assert names == ("Fe K", "Pt L")


@settings(deadline=None, max_examples=40)
@given(
    numbers=st.lists(st.integers(5, 95), min_size=1, max_size=4, unique=True),
    offset=st.floats(-0.5, 0.1),
    width=st.floats(0.005, 0.04),
    beam=st.floats(40, 300),
    thickness=st.floats(0, 1e-4),
    window=st.sampled_from(["windowless", "polymer", "silicon nitride"]),
)
def test_any_columns_are_finite_not_negative_not_empty(
    numbers, offset, width, beam, thickness, window
):
    energy = offset + width * np.arange(int(20 / width))
    elements = [symbol(z) for z in numbers]
    specimen = Specimen({e: 1 / len(elements) for e in elements}, "film", thickness)
    detector = make_detector(window)
    g_matrix = build_g_matrix(
        acquisition(energy, beam=beam, detector=detector), elements, specimen
    )
    assert g_matrix.elements == tuple(elements)
    assert g_matrix.matrix.shape == (energy.size, len(g_matrix.columns))
    assert np.all(np.isfinite(g_matrix.matrix))
    assert np.all(g_matrix.matrix >= 0)
    assert np.all(g_matrix.matrix.sum(axis=0) > 0)


def test_4096_channels_and_20_elements_in_a_fifth_of_a_second():
    elements = "C N O Na Mg Al Si P S K Ca Ti Cr Mn Fe Ni Cu Pt Pb La".split()
    specimen = Specimen(dict.fromkeys(elements, 0.05), "film", 1e-5)
    wide = acquisition(np.arange(4096) * 0.01 - 0.2)
    build_g_matrix(wide, elements, specimen)
    times = []
    for _ in range(5):
        start = time.perf_counter()
        build_g_matrix(wide, elements, specimen)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.2


@pytest.mark.parametrize(
    ("elements", "error", "named"),
    [
        ([], ValueError, "`elements` is empty"),
        (None, ValueError, "`elements` is empty"),
        ("Fe", TypeError, r'such as \["Fe"\]'),
        (["Fe", "Xx"], ValueError, "'Xx'"),
        (["H", "Fe"], ValueError, "'H' .*no X-ray lines"),
        (["Fe", "He"], ValueError, "'He'"),
    ],
)
def test_impossible_elements(elements, error, named):
    with pytest.raises(error, match=named):
        build_g_matrix(acquisition(), elements)


@pytest.mark.parametrize(
    ("conditions", "named"),
    [
        ({"beam_energy_keV": 200e3}, "`beam_energy_keV` is 200000, .*eV"),
        ({"beam_energy_keV": 0.0}, "`beam_energy_keV` is 0.0"),
        ({"beam_energy_keV": -20.0}, "`beam_energy_keV` is -20.0"),
        ({"beam_energy_keV": np.nan}, "`beam_energy_keV` is nan"),
        ({"beam_energy_keV": None}, "`beam_energy_keV` is None"),
        ({"beam_energy_keV": 0.02}, "below every edge of 'Fe'"),
        ({"detector": None}, "`detector` is None"),
        ({"technique": "EELS"}, "`technique` is 'EELS'"),
        ({"energy": np.linspace(0, 20e3, 50)}, "`energy` ends at 20000"),
        ({"energy": np.linspace(20, 0, 50)}, "uniform"),
        ({"energy": np.geomspace(0.1, 20, 50)}, "uniform"),
        ({"energy": np.array([1.0])}, "two channels"),
        ({"energy": np.array([1.0, np.nan, 3.0])}, "finite"),
        ({"energy": np.linspace(0.01, 0.2, 50)}, "'Fe' .*covers 0.01 to 0.2 keV"),
        ({"take_off_angle": -3.0}, "`take_off_angle`"),
    ],
)
def test_impossible_conditions(conditions, named):
    with pytest.raises(ValueError, match=named):
        build_g_matrix(replace(acquisition(), **conditions), ["Fe"])


def test_scanning_is_a_bulk_and_needs_its_composition():
    scanning = acquisition(technique="EDS_SEM", beam=20.0)
    with pytest.raises(ValueError, match="without a composition"):
        build_g_matrix(scanning, ["Fe"])
    bulk = build_g_matrix(scanning, ["Fe"], Specimen({"Fe": 1.0}, geometry="bulk"))
    assert bulk.elements == ("Fe",)
    film = build_g_matrix(scanning, ["Fe"], Specimen({}, geometry="film"))
    assert film.elements == ("Fe",)


def test_repr_lists_the_columns():
    g_matrix = build_g_matrix(acquisition(), ["Fe"], continuum_degree=0)
    first, *rows = repr(g_matrix).splitlines()
    assert first == "GMatrix: 2048 channels x 3 columns"
    assert [row.split("  ")[1].strip() for row in rows] == [
        "Fe K",
        "Fe L",
        "continuum 0",
    ]
    assert "shape only" in rows[1] and "shape only" not in rows[0]


def test_matrix_of_others():
    rng = np.random.default_rng(5)
    array = rng.random((7, 3))
    g_matrix = GMatrix.from_array(
        array, ["Fe", "O", "b0"], ["Fe", "O", None], concentration="atomic"
    )
    assert g_matrix.elements == ("Fe", "O")
    assert g_matrix.columns[2].kind == "continuum"
    assert g_matrix.concentration == "atomic"
    kept = array.copy()
    array[:] = 0
    assert np.array_equal(g_matrix.matrix, kept)


@pytest.mark.parametrize(
    ("matrix", "names", "elements", "named"),
    [
        (np.ones((5, 2)), ["a"], ["Fe"], "shape"),
        (np.ones(5), ["a"], ["Fe"], "shape"),
        (-np.ones((5, 1)), ["a"], ["Fe"], "not negative"),
        (np.full((5, 1), np.nan), ["a"], ["Fe"], "finite"),
        (np.ones((5, 2)), ["a", "a"], ["Fe", "O"], "differ"),
        (np.ones((5, 2)), ["a", "b"], ["Fe"], "`elements` 1"),
        (np.ones((5, 1)), ["a"], ["Qq"], "'Qq'"),
    ],
)
def test_impossible_matrices(matrix, names, elements, named):
    with pytest.raises(ValueError, match=named):
        GMatrix.from_array(matrix, names, elements, concentration="mass")


def test_matrix_and_axis_must_fit():
    with pytest.raises(ValueError, match="5 channels.*2048"):
        GMatrix.from_array(
            np.ones((5, 1)),
            ["a"],
            ["Fe"],
            concentration="mass",
            acquisition=acquisition(),
        )


def test_element_without_a_column():
    g_matrix = build_g_matrix(acquisition(), ["Fe"])
    with pytest.raises(ValueError, match=r"'O' has no column; there are \['Fe'\]"):
        g_matrix.column_indices("O")
