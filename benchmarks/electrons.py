# SPDX-License-Identifier: GPL-3.0-or-later
"""Electron trajectories beside measured backscattering, XPP, and the clock.

    python benchmarks/electrons.py --figure depth_distributions.png

Measured coefficients at 20 keV and normal incidence. Where a set has no value there,
it is interpolated in the logarithm of the energy between its neighbours.
"""

from __future__ import annotations

import argparse
import os
import time

import numpy as np

from hspy_ml.physics.absorption import mixture_mass_absorption_coefficient
from hspy_ml.physics.composition import atomic_number
from hspy_ml.physics.stopping import medium_of
from hspy_ml.physics.xpp import depth_distribution, ionisation_exponent
from hspy_ml.simulation.electrons import ElectronResult, simulate_electrons
from hspy_ml.simulation.targets import Material, bulk, material

BEAM_ENERGY_KEV = 20.0
DEPTH_ENERGY_KEV = 15.0

#: As compiled by D. C. Joy, A database on electron-solid interactions, revision 01-01
#: (2001), described in Scanning 17 (1995) 270; but for Donovan's.
SOURCES = {
    "Heinrich": "K. F. J. Heinrich, 4th Conf. X-ray Optics Microanal. (1966) 159",
    "Bishop": "H. E. Bishop, thesis, Cambridge (1966)",
    "Neubert": "G. Neubert, S. Rogaschewski, Phys. Status Solidi A 59 (1980) 35",
    "Hunger": "H.-J. Hunger, L. Kuchler, Phys. Status Solidi A 56 (1979) K45",
    "Reimer": "L. Reimer, C. Tollkamp, Scanning 3 (1980) 35",
    "Drescher": "H. Drescher, L. Reimer, H. Seidel, Z. Angew. Phys. 29 (1970) 331",
    "Cosslett": "V. E. Cosslett, R. N. Thomas, Br. J. Appl. Phys. 16 (1965) 779",
    "Kanter": "H. Kanter, Phys. Rev. 121 (1961) 677",
    "Philibert": "J. Philibert, E. Weinryb, 3rd Conf. X-ray Optics (1963) 163",
    "Donovan": "J. J. Donovan et al., Microsc. Microanal. 9 (2003) 202, at 15 keV",
}

#: (keV, coefficient) around 20 keV.
MEASURED = {
    "C": {
        "Heinrich": [(20, 0.060)],
        "Bishop": [(20, 0.061)],
        "Neubert": [(20, 0.064)],
        "Hunger": [(15.2, 0.057), (20.2, 0.049)],
        "Philibert": [(11, 0.059), (28, 0.052)],
    },
    "Al": {
        "Bishop": [(10, 0.177), (30, 0.150)],
        "Neubert": [(20, 0.164)],
        "Reimer": [(20, 0.148)],
        "Drescher": [(17.3, 0.159), (25.2, 0.151)],
        "Cosslett": [(20, 0.14)],
        "Kanter": [(20, 0.139)],
        "Philibert": [(11, 0.133), (28, 0.130)],
    },
    "Si": {
        "Heinrich": [(20, 0.164)],
        "Bishop": [(20, 0.169)],
        "Hunger": [(20, 0.159)],
        "Reimer": [(20, 0.194)],
        "Drescher": [(17.3, 0.178), (25.2, 0.165)],
    },
    "Cu": {
        "Heinrich": [(20, 0.309)],
        "Bishop": [(20, 0.339)],
        "Neubert": [(20, 0.328)],
        "Hunger": [(20.2, 0.306)],
        "Reimer": [(20, 0.311)],
        "Drescher": [(17.3, 0.310), (25.2, 0.307)],
        "Cosslett": [(20, 0.29)],
    },
    "Ag": {"Donovan": [(15, 0.412)]},
    "Au": {
        "Heinrich": [(20, 0.506)],
        "Bishop": [(10, 0.501), (30, 0.521)],
        "Neubert": [(20, 0.516)],
        "Hunger": [(20.2, 0.485)],
        "Reimer": [(20, 0.482)],
        "Drescher": [(17.3, 0.492), (25.2, 0.501)],
        "Cosslett": [(20, 0.48)],
    },
}

#: Name, material, line.
DEPTHS = (
    ("Si K in SiO$_2$", material("SiO2", density=2.2), ("Si", "K")),
    ("Fe K in Fe", material("Fe"), ("Fe", "K")),
    ("Al K in Cu", material("Cu"), ("Al", "K")),
)


def hunger_kuchler(number: int, energy_keV: float) -> float:
    """Fit to all elements, 4 to 40 keV: Hunger and Kuchler (1979)."""
    z = np.log(number)
    at_1_keV = 0.1904 - 0.2236 * z + 0.1292 * z**2 - 0.01491 * z**3
    return float(at_1_keV * energy_keV ** (0.1382 - 0.9211 / np.sqrt(number)))


def at_beam_energy(points: list[tuple[float, float]]) -> float:
    """A set's coefficient at the beam energy."""
    energies, values = np.array(points, dtype=float).T
    return float(np.interp(np.log(BEAM_ENERGY_KEV), np.log(energies), values))


def print_backscattering(n_electrons: int) -> None:
    """Simulated coefficients beside all that were measured."""
    print(
        f"Backscatter coefficients at {BEAM_ENERGY_KEV:g} keV, {n_electrons} electrons"
    )
    print("    simulated         fit            mean of sets   nearest   sets")
    for element, sets in MEASURED.items():
        result = simulate_electrons(
            bulk(material(element)), BEAM_ENERGY_KEV, n_electrons, random_state=0
        )
        eta = result.backscatter_coefficient
        fit = hunger_kuchler(atomic_number(element), BEAM_ENERGY_KEV)
        values = {name: at_beam_energy(points) for name, points in sets.items()}
        mean = np.mean(list(values.values()))
        nearest = min(values.values(), key=lambda value: abs(eta / value - 1))
        print(
            f"{element:3} {eta:.4f} +- {result.backscatter_coefficient_error:.4f}  "
            f"{fit:.4f} {100 * (eta / fit - 1):+5.1f} %  "
            f"{mean:.4f} {100 * (eta / mean - 1):+5.1f} %  "
            f"{100 * (eta / nearest - 1):+5.1f} %   "
            + ", ".join(f"{name} {value:.3f}" for name, value in values.items())
        )
    print("fit: Hunger and Kuchler (1979), to all elements. Sets:")
    for name, source in SOURCES.items():
        print(f"  {name}: {source}")


def print_timing(n_electrons: int, num_workers: int) -> None:
    """Seconds of compiled trajectories at 15 keV, cross sections ready."""
    load = os.getloadavg()[0]
    print(f"{n_electrons} electrons at 15 keV, {num_workers} threads, load {load:.1f}")
    cases = {"Si": [("Si", "K")], "Cu": [("Cu", "K"), ("Cu", "L3")]}
    for element, lines in cases.items():
        for counted in ([], lines):
            target = bulk(material(element))
            simulate_electrons(target, 15.0, 10, counted, random_state=0)
            start, processor = time.perf_counter(), time.process_time()
            simulate_electrons(
                target,
                15.0,
                n_electrons,
                counted,
                random_state=0,
                num_workers=num_workers,
            )
            seconds = time.perf_counter() - start
            processor = time.process_time() - processor
            print(
                f"  {element}, {len(counted)} X-ray lines: {seconds:.1f} s, "
                f"{processor:.1f} s of the processors"
            )


def xpp_of(of: Material, result: ElectronResult):
    """XPP distribution of the first line of a result."""
    (line,) = result.lines
    fractions = of.mass_fractions
    medium = medium_of(list(fractions), np.array(list(fractions.values())))
    exponent = ionisation_exponent(line.atomic_number, line.shell[0])
    return depth_distribution(medium, DEPTH_ENERGY_KEV, line.edge_keV, exponent)


def chi_of(of: Material, result: ElectronResult) -> float:
    """Absorption of the first line's photons towards the detector, cm2/g."""
    mu = mixture_mass_absorption_coefficient(
        of.mass_fractions, result.lines[0].energy_keV
    )
    return mu / np.sin(np.radians(35.0))


def compare_depths(n_electrons: int, figure: str | None) -> None:
    """Depth distributions beside XPP: numbers, and a figure if a path is given."""
    results = [
        simulate_electrons(
            bulk(of), DEPTH_ENERGY_KEV, n_electrons, [line], random_state=0
        )
        for _, of, line in DEPTHS
    ]
    distributions = [
        xpp_of(of, result) for (_, of, _), result in zip(DEPTHS, results, strict=True)
    ]
    print(f"Depth distributions at {DEPTH_ENERGY_KEV:g} keV, simulated over XPP")
    print("                   area   mean depth  phi(0)  f(chi) at 35 degrees")
    for (name, of, _), result, xpp in zip(DEPTHS, results, distributions, strict=True):
        middle = (result.depth_edges[1:] + result.depth_edges[:-1]) / 2
        theirs = xpp.at_depth(middle)
        area = result.phi_rho_z[0].sum() * result.depth_edges[1] / float(xpp.area)
        depth = result.mean_depth[0] / (theirs @ middle / theirs.sum())
        surface = result.phi_rho_z[0, 0] / xpp.at_depth(middle[0])
        leaving = result.emitted[0, 0] / result.generated[0, 0]
        leaving /= xpp.leaving_fraction(chi_of(of, result))
        print(
            f"  {name:16} {area:.3f}  {depth:.3f}       {surface:.3f}   {leaving:.3f}"
        )
    if figure is not None:
        plot_depths(results, distributions, figure)


def plot_depths(results: list[ElectronResult], distributions: list, path: str) -> None:
    """Three panels, simulation as steps and XPP as a line."""
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(1, 3, figsize=(11, 3.4), layout="constrained")
    for (name, _, _), result, xpp, ax in zip(
        DEPTHS, results, distributions, axes, strict=True
    ):
        micrograms = 1e6 * result.depth_edges
        ax.stairs(
            result.phi_rho_z[0], micrograms, fill=True, alpha=0.3, label="electrons"
        )
        depth = np.linspace(0, result.depth_edges[-1], 300)
        ax.plot(1e6 * depth, xpp.at_depth(depth), "k", lw=1.2, label="XPP")
        ax.set_title(f"{name}, {DEPTH_ENERGY_KEV:g} keV")
        ax.set_xlabel(r"$\rho z$ / $\mu$g cm$^{-2}$")
        ax.set_xlim(0, micrograms[np.flatnonzero(result.phi_rho_z[0])[-1] + 1])
    axes[0].set_ylabel(r"$\varphi(\rho z)$")
    axes[0].legend(frameon=False)
    fig.savefig(path, dpi=150)


def main() -> None:
    """Print the tables, draw the figure."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--electrons", type=int, default=100_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--figure", help="path of the figure of depth distributions")
    options = parser.parse_args()
    print_backscattering(options.electrons)
    print_timing(options.electrons, options.threads)
    compare_depths(options.electrons, options.figure)


if __name__ == "__main__":
    main()
