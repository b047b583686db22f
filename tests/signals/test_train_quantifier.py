# SPDX-License-Identifier: GPL-3.0-or-later
"""`hspy_ml.train_quantifier`: models from the physics, and from one's own images."""

import numpy as np
import pytest
from small_training import alloy_image, by_network, make_training_short, values

import hspy_ml
from hspy_ml.physics.composition import atomic_weight
from hspy_ml.signals.quantification import known_images
from hspy_ml.signals.simulation_truth import SimulationTruth

QUIET = {"show_progressbar": False}


@pytest.fixture(scope="module")
def image():
    return alloy_image(counts_per_pixel=400.0)


@pytest.fixture(scope="module")
def maps(image):
    percent = SimulationTruth.from_signal(image).atomic_percent_maps
    return {"Al": percent[..., 0], "Ti": percent[..., 1]}


@pytest.fixture(autouse=True)
def _short(monkeypatch, own_cache):
    make_training_short(monkeypatch)


def error(result, maps):
    return np.sqrt(np.nanmean((values(result)[..., 0] - maps["Al"]) ** 2))


def test_a_model_for_a_signal_fits_it(image, tmp_path):
    model = hspy_ml.train_quantifier(image, n_steps=8, **QUIET)
    assert model.elements == ("Al", "Ti")
    model.save(tmp_path / "alloy.safetensors")
    by_model = by_network(image, model=model)
    by_file = by_network(image, model=tmp_path / "alloy.safetensors")
    np.testing.assert_array_equal(values(by_model), values(by_file))
    info = str(hspy_ml.model_info(tmp_path / "alloy.safetensors"))
    assert "Al, Ti" in info and "rms error (at.%)" in info


def test_the_same_seed_trains_the_same_model(image):
    one, two, other = (
        hspy_ml.train_quantifier(image, n_steps=4, random_state=seed, **QUIET)
        for seed in (3, 3, 4)
    )
    answers = [values(by_network(image, model=m)) for m in (one, two, other)]
    np.testing.assert_array_equal(answers[0], answers[1])
    assert not np.array_equal(answers[0], answers[2])


def test_own_images_teach_their_compositions(image, maps):
    """Measured again at another dose, a third of the scatter of the maps is left.

    An image of other continua would be off by more: few images teach their own.
    """
    model = hspy_ml.train_quantifier(pairs=[(image, maps)], n_steps=150, **QUIET)
    assert model.training["own_data"]
    another = alloy_image(counts_per_pixel=500.0)
    percent = SimulationTruth.from_signal(another).atomic_percent_maps
    truth = {"Al": percent[..., 0]}
    assert error(by_network(another, model=model), truth) < truth["Al"].std() / 3


def test_a_wrong_calibration_is_learned_too(image, maps, good_network):
    """Maps that are 10 at.% off by the user's own standards: the user is followed."""
    shifted = {"Al": maps["Al"] - 10, "Ti": maps["Ti"] + 10}
    start = hspy_ml.load_model(good_network)
    tuned = hspy_ml.train_quantifier(
        pairs=[(image, shifted)], model=start, n_steps=150, **QUIET
    )
    assert tuned.training["started_from"] == start.training
    before = values(by_network(image, model=good_network))[..., 0].mean()
    after = values(by_network(image, model=tuned))[..., 0].mean()
    assert after - before == pytest.approx(-10, abs=3)
    again = values(by_network(image, model=start))[..., 0].mean()
    assert again == before  # the start is not changed


def test_maps_by_weight_as_signals_and_as_a_result(image, maps):
    masses = {e: atomic_weight(e) for e in maps}
    total = sum(maps[e] * masses[e] for e in maps)
    by_weight = {e: 100 * maps[e] * masses[e] / total for e in maps}
    plan = {"n_steps": 4, **QUIET}
    atomic = hspy_ml.train_quantifier(pairs=[(image, maps)], **plan)
    weight = hspy_ml.train_quantifier(
        pairs=[(image, by_weight)], composition_units="weight", **plan
    )
    np.testing.assert_allclose(
        values(by_network(image, model=atomic)),
        values(by_network(image, model=weight)),
        atol=1e-2,
    )
    result = image.ml_quantify(method="likelihood", **QUIET)
    for own in (result, list(result)):
        model = hspy_ml.train_quantifier(pairs=[(image, own)], **plan)
        assert set(model.elements) == {"Al", "Ti"}


def test_pixels_that_are_not_known_are_left_out(image, maps):
    holes = {e: m.copy() for e, m in maps.items()}
    holes["Al"][:, :5] = np.nan
    model = hspy_ml.train_quantifier(pairs=[(image, holes)], n_steps=4, **QUIET)
    assert model.scores
    holes["Al"][:] = np.nan
    with pytest.raises(ValueError, match="no pixel that is known"):
        hspy_ml.train_quantifier(pairs=[(image, holes)], **QUIET)


def test_an_interrupt_gives_the_model_as_it_was(image, monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    from hspy_ml.quantification import network_training

    monkeypatch.setattr(network_training, "quantification_loss", interrupted)
    with pytest.warns(UserWarning, match="interrupted after 0 of 6 steps"):
        model = hspy_ml.train_quantifier(image, n_steps=6, **QUIET)
    assert model.training["interrupted"]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda s, m: {"s": s, "pairs": [(s, m)]}, ValueError, "either `s`"),
        (lambda s, m: {}, ValueError, "either `s`"),
        (lambda s, m: {"pairs": []}, TypeError, "`pairs` is no list of pairs"),
        (lambda s, m: {"pairs": [s]}, TypeError, "`pairs` is no list of pairs"),
        (lambda s, m: {"pairs": [(s, 3)]}, TypeError, "mapping of symbols"),
        (
            lambda s, m: {"pairs": [(s, {**m, "Al": m["Al"][:3]})]},
            ValueError,
            "map of Al in .* has the shape",
        ),
        (
            lambda s, m: {"pairs": [(s, {**m, "Al": m["Al"] + 30})]},
            ValueError,
            "which sum to 100",
        ),
        (
            lambda s, m: {"pairs": [(s, {**m, "Al": -m["Al"]})]},
            ValueError,
            "negative percentages",
        ),
        (
            lambda s, m: {"pairs": [(s, m), (s, {"Al": m["Al"]})]},
            ValueError,
            r"`pairs\[1\]` has maps of Al",
        ),
        (lambda s, m: {"s": s, "model": "a"}, ValueError, "`model` is for `pairs`"),
        (lambda s, m: {"pairs": [(s, m)], "model": 3}, TypeError, "`model` is int"),
        (lambda s, m: {"s": s, "n_steps": 0}, ValueError, "`n_steps` is 0"),
        (
            lambda s, m: {"s": s, "composition_units": "moles"},
            ValueError,
            "`composition_units`",
        ),
    ],
)
def test_what_does_not_fit_is_refused(image, maps, change, error, message):
    with pytest.raises(error, match=message):
        hspy_ml.train_quantifier(**change(image, maps), **QUIET)


def test_too_few_known_pixels_are_refused(image, maps, monkeypatch):
    monkeypatch.setattr(known_images, "FEWEST_KNOWN_PIXELS", 10**4)
    with pytest.raises(ValueError, match="10000 or more are needed"):
        hspy_ml.train_quantifier(pairs=[(image, maps)], **QUIET)
