# SPDX-License-Identifier: GPL-3.0-or-later
"""Certified glasses measured by NIST: our compositions beside the certificates.

    python benchmarks/certified_glass.py [--draws 50] [--data ../shared/data]

Prints relative errors of each element, without and with standards, as they stand and
thinned to few counts, and what a film, another window or oxygen by its line would give.
"""

from __future__ import annotations

import argparse
import tempfile
import warnings
from pathlib import Path

import hyperspy.api as hs
import numpy as np

CERTIFIED = {
    "K412": dict(O=42.758, Mg=11.657, Al=4.906, Si=21.198, Ca=10.899, Fe=7.742),
    "K411": dict(O=42.367, Mg=8.847, Si=25.382, Ca=11.056, Fe=11.209),
}
SPECTRA = {
    "K412, 20 keV": ("K412", "K412 spectra/III-E K412[{}][4].msa", range(5)),
    "K412, 15 keV": ("K412", "15 keV/IIIE K412[{}][4].msa", range(5)),
    "K412, 15 keV, 2011": ("K412", "Example 2/K412 unk.msa", range(1)),
    "K411, 15 keV, 2011": ("K411", "Example 2/K411 std.msa", range(1)),
}
STANDARDS = {"Mg": "MgO", "Al": "Al2O3", "Si": "SiO2", "Ca": "CaF2", "Fe": "Fe"}
VARIANTS = {
    "as it stands": {},
    "no energy scale": {"refine_energy_scale": False},
    "silicon nitride": {"detector": "silicon nitride"},
    "no window": {"detector": "windowless"},
    "O by its line": {"by_stoichiometry": None},
    "as a film": {"geometry": "film", "by_stoichiometry": "O"},
}


def load(folder: Path, name: str, glass: str | None = None):
    """A spectrum; one of the files has a header that RosettaSciIO does not read."""
    text = (folder / name).read_text(errors="replace")
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "spectrum.msa"
        path.write_text(text.replace("#SPECTRUM    :\n", "#SPECTRUM    : \n"))
        s = hs.load(path, signal_type="EDS_SEM")
    if glass:
        s.set_elements(list(CERTIFIED[glass]))
    return s


def quantified(s, **options):
    """Weight percent as an array, its errors, and the result."""
    result = s.ml_quantify(
        method="likelihood",
        composition_units="weight",
        show_progressbar=False,
        **options,
    )
    values = np.array([x.data[0] for x in result])
    return values, np.array([x.data[0] for x in result.standard_errors]), result


def errors(values: np.ndarray, result, glass: str) -> dict[str, float]:
    """Relative errors in percent; both sides sum to 100."""
    total = sum(CERTIFIED[glass].values())
    return {
        element: 100 * (value / (100 * CERTIFIED[glass][element] / total) - 1)
        for element, value in zip(result.elements, values, strict=True)
    }


def line(label: str, found: dict[str, float]) -> str:
    """One row of the tables."""
    rms = np.sqrt(np.mean(np.square(list(found.values()))))
    parts = " ".join(f"{e} {v:+5.1f}" for e, v in found.items())
    return f"{label:<22} rms {rms:5.2f} %   {parts}"


def thinned(s, draws: int, counts: float) -> None:
    """Bias and coverage of few counts around the result of all."""
    full, _, result = quantified(s)
    rng, all_counts = np.random.default_rng(1), s.data.astype(int)
    rows = []
    for _ in range(draws):
        s.data = rng.binomial(all_counts, counts / all_counts.sum())
        rows.append(quantified(s, num_workers=1)[:2])
    s.data = all_counts
    values, told = (np.array(part) for part in zip(*rows, strict=True))
    bias = 100 * (values.mean(axis=0) / full - 1)
    of_mean = 100 * values.std(axis=0) / np.sqrt(draws) / full
    covered = np.mean(np.abs(values - full) < told, axis=0)
    for element, b, e, c in zip(result.elements, bias, of_mean, covered, strict=True):
        print(
            f"    {element:<2} bias {b:+5.2f} +- {e:4.2f} %   covered {100 * c:3.0f} %"
        )
    print(f"    all elements together: covered {100 * covered.mean():.0f} %")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--draws", type=int, default=50)
    arguments = parser.parse_args()
    folder = arguments.data / "vendor/nist"
    warnings.simplefilter("ignore", UserWarning)
    print("Without standards, default settings, relative errors in percent")
    for name, (glass, pattern, indices) in SPECTRA.items():
        for index in indices:
            s = load(folder, pattern.format(index), glass)
            values, _, result = quantified(s)
            print(line(f"{name} [{index}]", errors(values, result, glass)))
    print("With standards, K412 at 20 keV")
    standards = {
        element: (load(folder, f"K412 spectra/{formula} std.msa"), formula)
        for element, formula in STANDARDS.items()
    }
    for index in range(5):
        s = load(folder, f"K412 spectra/III-E K412[{index}][4].msa", "K412")
        values, _, result = quantified(s, standards=standards)
        row = line(f"[{index}]", errors(values, result, "K412"))
        print(f"{row}   total {result.total.data[0]:.1f} %")
    print("Other assumptions, K412 at 20 keV [0]")
    s = load(folder, "K412 spectra/III-E K412[0][4].msa", "K412")
    for name, options in VARIANTS.items():
        values, _, result = quantified(s, **options)
        print(line(name, errors(values, result, "K412")))
    for name in ("K412, 20 keV", "K411, 15 keV, 2011"):
        glass, pattern, _ = SPECTRA[name]
        for counts in (1e4, 1e3):
            print(f"{name} thinned to {counts:.0f} counts, {arguments.draws} draws")
            thinned(load(folder, pattern.format(0), glass), arguments.draws, counts)


if __name__ == "__main__":
    main()
