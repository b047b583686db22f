# SPDX-License-Identifier: GPL-3.0-or-later
"""Core-loss edges: exspy's model, the dipole route, tables, onsets."""

import numpy as np
import pytest

from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.edges import edge_cross_section, edges_of
from hspy_ml.physics.edges_dipole import (
    angular_factor,
    beyond_dipole,
    oscillator_strength,
)
from hspy_ml.physics.edges_exspy import effective_collection_angle, has_hydrogenic


def acquisition(energy, beam_energy=200.0, alpha=10.0, beta=20.0):
    return Acquisition(
        energy=energy,
        technique="EELS",
        beam_energy_keV=beam_energy,
        convergence_angle_mrad=alpha,
        collection_angle_mrad=beta,
    )


def edge(name):
    element, shell = name.split()
    return next(e for e in edges_of(element) if e.shell == shell)


def integrated(name, window=100.0, gos="hydrogenic", **conditions):
    """Cross section of the first 100 eV, barn for one atom."""
    onset = edge(name).onset_eV
    energy = onset + np.arange(0.5, window)
    conditions = acquisition(energy, **conditions)
    return edge_cross_section(edge(name), energy, conditions, gos).sum()


@pytest.mark.parametrize(
    ("element", "shells"),
    [("C", "K"), ("Fe", "KLM"), ("La", "MN"), ("Na", "KL"), ("S", "L"), ("He", "K")],
)
def test_edges_of_an_element(element, shells):
    assert "".join(e.shell for e in edges_of(element)) == shells


def test_onsets_are_those_of_the_sharp_subshells():
    assert edge("La M").onset_eV == 832
    assert edge("La M").sharp_onsets_eV == (832, 849)
    assert dict(edge("Fe L").subshells)["L1"] == 846
    assert edge("C K").subshells == (("K", 284.0),)


def test_an_unknown_element_is_refused():
    with pytest.raises(ValueError, match="'Xx'"):
        edges_of("Xx")


@pytest.mark.parametrize(
    ("name", "subshell"), [("O K", "K"), ("Ti L", "L3"), ("Sr L", "L3")]
)
def test_hydrogenic_edges_are_those_of_exspy(name, subshell):
    from exspy.components import EELSCLEdge

    energy = edge(name).onset_eV + np.arange(-20.0, 300.0, 0.25)
    component = EELSCLEdge(f"{name[:2].strip()}_{subshell}", GOS="hydrogenic")
    component.set_microscope_parameters(300, 17, 31, 0.25)
    values = edge_cross_section(edge(name), energy, acquisition(energy, 300, 17, 31))
    away = np.abs(energy - edge(name).onset_eV) > 0.5
    away &= np.abs(energy - dict(edge(name).subshells).get("L1", 0)) > 0.5
    expected = component.function(energy)
    np.testing.assert_allclose(values[away], expected[away], rtol=2e-3, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "ratio"),
    [("B K", 1.057), ("O K", 1.003), ("Si K", 1.035), ("Si L", 1.35), ("Ca L", 1.28)]
    + [("Ti L", 1.20), ("Mn L", 1.31), ("Fe L", 1.40), ("Cu L", 1.33), ("Sr L", 1.11)],
)
def test_photoabsorption_against_the_hydrogenic_model(name, ratio):
    """Of 100 eV at 200 kV, 10 and 20 mrad; without what lies beyond the dipole."""
    onset, shell = edge(name).onset_eV, edge(name).shell
    energy = onset + np.arange(0.5, 100.0)
    conditions = acquisition(energy)
    beta = 1e-3 * effective_collection_angle(conditions, onset)
    characteristic = energy / 343.7e3
    factor = angular_factor(beta, characteristic, 200.0)
    share = 1 - beyond_dipole(beta, characteristic, shell) / factor
    dipole = edge_cross_section(edge(name), energy, conditions, "dipole") / share
    hydrogenic = edge_cross_section(edge(name), energy, conditions)
    assert dipole.sum() / hydrogenic.sum() == pytest.approx(ratio, rel=0.015)


@pytest.mark.parametrize("name", ["B K", "O K", "Mg K", "Ti L", "Mn L", "Sr L"])
def test_both_models_depend_on_the_angle_alike(name):
    conditions = [
        {"alpha": 0.0, "beta": 5.0},
        {"alpha": 10.0, "beta": 20.0},
        {"beam_energy": 300.0, "alpha": 25.0, "beta": 50.0},
    ]
    ratios = [
        integrated(name, gos="dipole", **c) / integrated(name, **c) for c in conditions
    ]
    assert max(ratios) / min(ratios) < 1.08


@pytest.mark.parametrize(
    "name", ["La M", "Ba N", "Zr M", "S L", "C K", "Fe L", "Ti M", "Gd M"]
)
def test_nothing_is_lost_below_the_onset(name):
    onset = edge(name).onset_eV
    energy = onset + np.arange(-60.25, 240.0, 0.5)
    values = edge_cross_section(edge(name), energy, acquisition(energy))
    assert not values[energy < onset - 0.5].any()
    assert values[energy > onset + 30].min() > 0
    assert np.isfinite(values).all()


def test_channels_hold_the_mean_over_their_width():
    fine = 650.0 + np.arange(0.05, 200.0, 0.1)
    coarse = 650.0 + np.arange(2.0, 200.0, 4.0)
    of_fine = edge_cross_section(edge("Fe L"), fine, acquisition(fine))
    of_coarse = edge_cross_section(edge("Fe L"), coarse, acquisition(coarse))
    mean = of_fine.reshape(-1, 40).mean(axis=1)
    np.testing.assert_allclose(of_coarse, mean, rtol=0.03, atol=0.05)


@pytest.mark.parametrize("gos", ["hydrogenic", "dipole"])
def test_larger_apertures_collect_more_and_never_without_bound(gos):
    sections = [integrated("C K", gos=gos, alpha=0.0, beta=b) for b in (5, 20, 80, 200)]
    assert np.all(np.diff(sections) > 0)
    assert sections[3] / sections[2] < 1.25


def test_the_oscillator_strength_of_a_k_shell_is_about_that_of_its_electrons():
    """1.5 to 2 for the two electrons of carbon (Thomas-Reiche-Kuhn sum rule)."""
    energy = 284.0 + np.arange(0.5, 20000.0, 5.0)
    strength = oscillator_strength("C", "K", {"K": 284.0}, energy).sum() * 5.0
    assert 1.5 < strength < 2.05


def test_the_angular_factor_is_classical_for_slow_electrons():
    beta, characteristic = 0.01, np.array([0.001, 0.004])
    expected = np.log(1 + beta**2 / characteristic**2)
    np.testing.assert_allclose(
        angular_factor(beta, characteristic, 0.01), expected, rtol=1e-4
    )


def test_a_parallel_beam_has_the_collection_angle_itself():
    energy = np.arange(400.0, 500.0)
    assert effective_collection_angle(acquisition(energy, alpha=0.0), 500.0) == 20
    assert effective_collection_angle(
        acquisition(energy, alpha=15.0, beta=30.0), 600.0
    ) == pytest.approx(28.0, abs=0.3)


def test_what_the_hydrogenic_model_lacks_comes_by_the_dipole_route():
    assert has_hydrogenic("Fe", "L")
    for element, shell in [("S", "L"), ("Na", "L"), ("La", "M"), ("Ba", "N")]:
        assert not has_hydrogenic(element, shell)
        name = f"{element} {shell}"
        assert integrated(name) == integrated(name, gos="dipole") > 0


@pytest.fixture
def gosh_file(tmp_path):
    """exspy's hydrogenic oscillator strength of O K, written as a table."""
    h5py = pytest.importorskip("h5py")
    gos_module = pytest.importorskip("exspy._misc.eels.hydrogenic_gos")
    model = gos_module.HydrogenicGOS("O_K")
    bohr_radius, energy = 5.29177210903e-11, np.geomspace(1.0, 3001.0, 90) - 1.0
    q = np.geomspace(1e9, 1e12, 150)
    values = [
        [model.gosfuncK(532.0 + e, (x * bohr_radius) ** 2) for x in q] for e in energy
    ]
    path = tmp_path / "small.gosh"
    with h5py.File(path, "w") as file:
        info = file.create_group("metadata/edges_info/K")
        info.attrs["table"], info.attrs["occupancy_ratio"] = "K1", 1.0
        file.create_group("metadata/data_ref").attrs["data_doi"] = "none"
        group = file.create_group("O/K1")
        group["data"] = np.array(values).T[None]
        group["q"], group["free_energies"] = q, energy
    return path


def test_a_table_gives_what_was_written_into_it(gosh_file):
    tabulated, direct = integrated("O K", gos=gosh_file), integrated("O K")
    assert tabulated == pytest.approx(direct, rel=0.01)


def test_a_table_without_the_edge_says_so(gosh_file):
    with pytest.raises(ValueError, match=r"has no L. edge of 'Fe'.*hydrogenic"):
        integrated("Fe L", gos=gosh_file)


def test_tables_are_not_downloaded_silently(monkeypatch, tmp_path):
    import pooch

    monkeypatch.setattr(pooch, "os_cache", lambda name: tmp_path)
    monkeypatch.setattr(pooch, "retrieve", lambda *a, **k: pytest.fail("downloads"))
    for gos in ("dft", "dirac"):
        with pytest.raises(FileNotFoundError, match=r"EELSCLEdge.*'hydrogenic'"):
            integrated("O K", gos=gos)


def test_a_downloaded_table_is_found(gosh_file, monkeypatch):
    import pooch

    gosh_file.rename(gosh_file.with_name("1f-Segger_Guzzinati_Kohl_1.5.0.gosh"))
    monkeypatch.setattr(pooch, "os_cache", lambda name: gosh_file.parent)
    assert integrated("O K", gos="dft") == pytest.approx(integrated("O K"), rel=0.01)


@pytest.mark.parametrize(
    ("gos", "error"), [("slater", ValueError), ("not/there.gosh", FileNotFoundError)]
)
def test_another_source_is_refused(gos, error):
    with pytest.raises(error, match="`gos` is"):
        integrated("O K", gos=gos)
