# SPDX-License-Identifier: GPL-3.0-or-later
"""For all tests: a cache of models of their own."""

import pytest


@pytest.fixture(scope="session", autouse=True)
def models_of_the_tests(tmp_path_factory):
    """A folder for trained networks, also in child processes: not the user's."""
    folder = tmp_path_factory.mktemp("models")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HSPY_ML_MODELS", str(folder))
        yield folder
