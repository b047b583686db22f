# SPDX-License-Identifier: GPL-3.0-or-later
"""Low-loss scenes: conservation of electrons, detailed balance, plural scattering."""

import numpy as np
import pytest

from hspy_ml.simulation.low_loss_kinds import KINDS
from hspy_ml.simulation.low_loss_lines import line_intensities, line_table
from hspy_ml.simulation.low_loss_scenes import _plural, random_scenes

ENERGY = 1e-3 * np.arange(-600, 3000)  # eV


def one_line(shape, energy, fwhm, parameter=0.0, axis=ENERGY):
    table = line_table(shape, [0], [energy], [fwhm], [1.0], parameter)
    return line_intensities(table, axis, 1)[0]


@pytest.mark.parametrize("kind", KINDS)
def test_every_electron_arrives_once_at_most(kind):
    scenes = random_scenes(kind, 8, 512, random_state=1)
    total = scenes.loss.sum(axis=1) + scenes.zero_loss
    assert (scenes.loss >= 0).all()
    assert (total <= 1 + 1e-6).all()
    assert (total > 0.4).all()  # the rest has lost more than the axis shows
    assert scenes.loss.shape == (8, 512 + 2 * scenes.padding)
    assert np.array_equal(scenes.loss, random_scenes(kind, 8, 512, random_state=1).loss)


def test_a_vacuum_has_no_loss():
    scenes = random_scenes("vacuum", 3, 256, 4e-3, random_state=0)
    assert not scenes.loss.any()
    assert np.array_equal(scenes.zero_loss, np.ones(3))


@pytest.mark.parametrize("shape", ["gaussian", "lorentzian"])
def test_a_line_has_its_width_and_area(shape):
    line = one_line(shape, 1.2, 0.05)
    above = ENERGY[line >= line.max() / 2]
    assert np.ptp(above) == pytest.approx(0.05, abs=2e-3)
    # a Lorentzian loses 0.05 / pi (1 / 1.8 + 1 / 1.8) / 2 = 0.9 % beyond the ends
    assert line.sum() == pytest.approx(1, abs=0.01)


def test_detailed_balance_of_losses_and_gains():
    temperature, quantum = 293.0, 0.06
    line = one_line("oscillator", quantum, 8e-3, temperature)
    at = {e: line[np.abs(ENERGY - e).argmin()] for e in (-0.06, 0.06, -0.02, 0.02)}
    for energy in (0.02, 0.06):
        ratio = np.exp(energy / (8.617333262e-5 * temperature))
        assert at[energy] / at[-energy] == pytest.approx(ratio, rel=1e-6)


def test_a_cold_oscillator_gains_nothing_and_has_unit_area():
    line = one_line("oscillator", 0.1, 0.02, 1.0)
    assert line[ENERGY < -5e-4].sum() < 1e-9
    assert line.sum() == pytest.approx(1, abs=2e-3)


def test_nothing_is_lost_below_a_gap():
    line = one_line("threshold", 0.8, 0.3)
    assert not line[ENERGY < 0.8].any()
    assert line[ENERGY > 0.81].min() > 0
    # the square root: twice the intensity at four times the distance, near the onset
    step = [line[np.abs(ENERGY - 0.8 - d).argmin()] for d in (0.002, 0.008)]
    assert step[1] / step[0] == pytest.approx(2, rel=0.05)


def test_a_step_falls_as_its_power():
    axis = 0.05 * np.arange(-200, 4000)
    line = one_line("step", 40.0, 0.1, 3.0, axis)
    at = [line[np.abs(axis - e).argmin()] for e in (80.0, 160.0)]
    assert at[0] / at[1] == pytest.approx(8, rel=0.01)
    assert line[axis < 35].sum() < 0.02


def test_plural_scattering_is_that_of_poisson_events():
    """Sharp losses of 100 channels: k of them come with the chance of k events."""
    mean, zero, step = 0.8, 50.0, 100
    intensities = np.zeros((1, 1000))
    intensities[0, int(zero) + step] = mean
    loss, none = _plural(intensities, zero)
    events = np.exp(-mean) * mean ** np.arange(4) / np.array([1, 1, 2, 6])
    assert none[0] == pytest.approx(events[0])
    for k in (1, 2, 3):
        assert loss[0, int(zero) + k * step] == pytest.approx(events[k])
    rest = loss[0].sum() - loss[0, [150, 250, 350]].sum()
    assert rest == pytest.approx(1 - events.sum(), abs=1e-6)


def test_plural_scattering_where_zero_lies_between_channels():
    x = np.arange(1000)
    intensities = 0.02 * np.exp(-0.5 * ((x - 150.3) / 8) ** 2)[None]
    loss, _ = _plural(intensities, 50.3)
    double = loss[0, 220:280]
    assert (double @ x[220:280]) / double.sum() == pytest.approx(250.3, abs=0.1)


def test_selected_scenes_keep_their_lines():
    scenes = random_scenes("vib", 6, 256, 4e-3, random_state=3)
    some = scenes.select(np.array([4, 1]))
    assert np.array_equal(some.loss, scenes.loss[[4, 1]])
    for new, old in enumerate([4, 1]):
        kept = np.sort(some.lines["energy_eV"][some.lines["scene"] == new])
        was = np.sort(scenes.lines["energy_eV"][scenes.lines["scene"] == old])
        assert np.array_equal(kept, was)


def test_lines_are_evaluated_each_on_its_own():
    scenes = random_scenes("lines", 60, 256, 4e-3, random_state=0)
    assert scenes.lines.size > 256  # more than are evaluated together
    last = scenes.lines[scenes.lines["scene"] == 59]
    alone = line_intensities(last, ENERGY, 60)
    together = line_intensities(scenes.lines, ENERGY, 60)
    assert np.allclose(alone[59], together[59], rtol=1e-12)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"kind": "phonons"}, "kind"),
        ({"kind": "vib", "channel_width_eV": -1.0}, "channel_width_eV"),
        ({"kind": "vib", "first_energy_eV": 0.1}, "first_energy_eV"),
        ({"kind": "vib", "n_channels": 100}, "first_energy_eV"),  # ends below 0
    ],
)
def test_bad_input(options, named):
    with pytest.raises(ValueError, match=f"`{named}`"):
        random_scenes(n_scenes=2, **options)
