# SPDX-License-Identifier: GPL-3.0-or-later
"""What `hspy_ml.sampling` offers, imported when it is first used."""

import subprocess
import sys

import pytest

import hspy_ml.sampling


@pytest.mark.parametrize("name", hspy_ml.sampling.__all__)
def test_every_name_is_there(name):
    assert getattr(hspy_ml.sampling, name).__name__ == name
    assert name in dir(hspy_ml.sampling)


def test_other_names_are_not():
    with pytest.raises(AttributeError, match="no attribute 'DynamicSamplers'"):
        hspy_ml.sampling.DynamicSamplers  # noqa: B018


def test_importing_it_is_light():
    code = "import sys, hspy_ml.sampling; print(*{'numpy', 'numba'} & {*sys.modules})"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
