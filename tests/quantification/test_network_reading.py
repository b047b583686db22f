# SPDX-License-Identifier: GPL-3.0-or-later
"""Spectra are read block by block, and the blocks do not matter."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hspy_ml.networks.threads import torch_threads
from hspy_ml.quantification.network_reading import (
    Readings,
    goodness,
    posterior_of,
    read_spectra,
)


@pytest.fixture(scope="module")
def spectra(bank):
    return bank.draw(53, 3)[0]


@pytest.fixture(scope="module")
def whole(model, spectra):
    return read_spectra(model.network, [spectra], 1)


def assert_same(found, wanted):
    """To float32's rounding, which depends on the size of a matrix product."""
    np.testing.assert_allclose(found.seen, wanted.seen, rtol=2e-4, atol=2e-4)
    np.testing.assert_allclose(found.shares, wanted.shares, rtol=2e-4, atol=1e-6)
    np.testing.assert_allclose(found.surprise, wanted.surprise, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(found.counts, wanted.counts)


def test_sizes(whole, model, spectra):
    assert whole.shares.shape == (53, len(model.conditions.columns))
    assert whole.surprise.shape == whole.counts.shape == (53,)
    assert whole.seen.shape[0] == 53
    np.testing.assert_allclose(whole.counts, spectra.sum(axis=1))
    np.testing.assert_allclose(whole.shares.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("num_workers", [1, 2, 5, None])
@pytest.mark.parametrize("size", [1, 8, 52, 100])
def test_blocks_and_threads_do_not_matter(model, spectra, whole, size, num_workers):
    blocks = np.split(spectra, range(size, 53, size))
    assert_same(read_spectra(model.network, blocks, num_workers), whole)


def test_threads_do_not_change_the_answer(model, spectra):
    """The same blocks, read side by side or one after the other."""
    blocks = np.split(spectra, range(9, 53, 9))
    one, four = (read_spectra(model.network, blocks, n) for n in (1, 4))
    torch.testing.assert_close(one.seen, four.seen, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(one.surprise, four.surprise, rtol=1e-4, atol=1e-4)


def test_the_order_of_the_spectra_does_not_matter(model, spectra, whole):
    order = np.random.default_rng(0).permutation(53)
    found = read_spectra(model.network, [spectra[order]])
    back = np.argsort(order)
    found = Readings(
        found.seen[back], found.shares[back], found.surprise[back], found.counts[back]
    )
    assert_same(found, whole)


@pytest.mark.parametrize("dtype", [np.uint16, np.int64, np.float64])
def test_any_type_of_counts(model, spectra, whole, dtype):
    assert_same(read_spectra(model.network, [spectra.astype(dtype)]), whole)


def test_progress_is_told_as_it_goes(model, spectra):
    """In order, and all of it; blocks may come from a generator."""
    done = []
    blocks = (spectra[i : i + 10] for i in range(0, 53, 10))
    read_spectra(model.network, blocks, 3, done.append)
    assert done == [10, 10, 10, 10, 10, 3]


def test_the_number_of_threads_of_torch_is_set_back(model, spectra):
    with torch_threads(2):
        read_spectra(model.network, [spectra])
        assert torch.get_num_threads() == 2


def test_an_error_in_a_block_is_raised(model, spectra):
    with pytest.raises(RuntimeError):
        read_spectra(model.network, [spectra, spectra[:, :-1]])


def test_deviations_are_wider_by_the_calibration(model, spectra, whole, bank):
    network = model.network
    moments = np.tile(bank.moments_of_anything, (53, 1))
    with torch.no_grad():
        mean, plain = network.decide(whole.seen, torch.from_numpy(moments).float())
    found, wide = posterior_of(network, whole.seen)(moments)
    np.testing.assert_allclose(found, mean, rtol=1e-5, atol=1e-6)
    ratio = wide / plain.numpy()
    low = network.widening.numpy().min(axis=0)
    high = network.widening.numpy().max(axis=0)
    assert (ratio >= low * (1 - 1e-4)).all()
    assert (ratio <= high * (1 + 1e-4)).all()
    brightest = network.widening.numpy()[-1]
    bright = read_spectra(network, [np.repeat(spectra[:2] * 1e4, 3, axis=0)])
    with torch.no_grad():
        _, plain = network.decide(bright.seen, torch.from_numpy(moments[:6]).float())
    _, wide = posterior_of(network, bright.seen)(moments[:6])
    np.testing.assert_allclose(wide / plain.numpy(), [brightest] * 6, rtol=1e-4)


@given(
    surprise=st.lists(st.floats(-5, 60), min_size=2, max_size=9),
    counts=st.floats(0, 1e6),
)
@settings(deadline=None, max_examples=60)
def test_the_more_surprising_the_less_good(model, surprise, counts):
    """At one dose; beyond the tables' ends the line goes on."""
    surprise = np.sort(np.array(surprise))
    n = surprise.size
    readings = Readings(
        torch.zeros(n, 3), np.zeros((n, 2)), surprise, np.full(n, counts)
    )
    found = goodness(model.network, readings)
    assert np.isfinite(found).all()
    assert (np.diff(found) >= -1e-9).all()
    apart = np.diff(surprise) > 1e-3
    assert (np.diff(found)[apart] > 0).all()
