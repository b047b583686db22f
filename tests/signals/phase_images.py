# SPDX-License-Identifier: GPL-3.0-or-later
"""Small images of phases with truth, for the tests of classification and sampling."""

import numpy as np

ALLOYS = {"matrix": "Al", "theta": "Al2Cu", "silicon": "Si"}


def alloy_image(counts=300.0, shape=(20, 23), random_state=3, **options):
    """A polycrystal of three phases whose pixels are pure, and its labels."""
    from hspy_ml import simulate

    labels = grain_labels(shape, len(options.get("phases", ALLOYS)), random_state)
    n_phases = len(options.get("phases", ALLOYS))
    settings = {
        "phases": ALLOYS,
        "technique": "EDS_SEM",
        "n_channels": 400,
        "channel_width_keV": 0.02,
        "beam_energy_keV": 10.0,
        "equal_brightness": True,
        **options,
    }
    phases = settings.pop("phases")
    abundances = np.eye(n_phases)[labels - 1]
    s = simulate(
        phases,
        counts_per_pixel=counts,
        abundances=abundances,
        random_state=random_state,
        **settings,
    )
    return s, labels


def grain_labels(shape, n_phases, random_state):
    from hspy_ml.sampling.label_images import draw_label_image

    return draw_label_image("grains", shape, n_phases, random_state, scale=9.0)


def some_pixels(labels, n, random_state=0):
    """Pixels of each label as (x, y), by the name of the phase."""
    rng = np.random.default_rng(random_state)
    found = {}
    for label, name in enumerate(ALLOYS, start=1):
        rows, columns = np.nonzero(labels == label)
        chosen = rng.permutation(rows.size)[:n]
        places = zip(columns[chosen].tolist(), rows[chosen].tolist(), strict=True)
        found[name] = list(places)
    return found


def reference_spectra(labels_of, s):
    """One summed spectrum of each phase, as another session would measure it."""
    spectra = {}
    for label, name in enumerate(ALLOYS, start=1):
        spectra[name] = s.deepcopy().inav[0, 0]
        spectra[name].data = s.data[labels_of == label].sum(axis=0)
    return spectra
