# SPDX-License-Identifier: GPL-3.0-or-later
"""Cross sections of edges by exspy: its hydrogenic model and its tables."""

from __future__ import annotations

from functools import lru_cache
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from .acquisition import Acquisition

__all__ = [
    "effective_collection_angle",
    "has_hydrogenic",
    "hydrogenic_cross_section",
    "tabulated_cross_section",
]

HYDROGENIC = "hydrogenic"

# Parts of the names under which exspy keeps its tables, once they are downloaded.
_TABLES = {"dft": "Segger_Guzzinati_Kohl", "dirac": "Dirac_GOS"}


def effective_collection_angle(acquisition: Acquisition, energy_eV: float) -> float:
    """Collection semi-angle that a parallel beam would need for the same signal.

    Parameters
    ----------
    acquisition : Acquisition
        Beam energy and the two semi-angles.
    energy_eV : float
        Energy loss.

    Returns
    -------
    float
        mrad.

    References
    ----------
    R. F. Egerton, Electron Energy-Loss Spectroscopy in the Electron Microscope, 2nd
    ed., Plenum (1996), p. 420, as ``exspy.utils.eels.effective_angle``.
    """
    from exspy.utils.eels import effective_angle

    return effective_angle(
        acquisition.beam_energy_keV,
        energy_eV,
        acquisition.convergence_angle_mrad,
        acquisition.collection_angle_mrad,
    )


@lru_cache(maxsize=256)
def has_hydrogenic(element: str, shell: str) -> bool:
    """Tell whether exspy's hydrogenic model knows a shell.

    Parameters
    ----------
    element : str
        Symbol.
    shell : {"K", "L", "M", "N"}
        The model has K and L shells; it needs the onsets of L1 and L3, which exspy
        does not tabulate for Na, P and S.

    Returns
    -------
    bool
    """
    if shell not in "KL":
        return False
    try:
        _component(element, "K" if shell == "K" else "L3", HYDROGENIC)
    except (KeyError, ValueError):
        return False
    return True


def hydrogenic_cross_section(
    element: str, subshell: str, energy_eV: np.ndarray, acquisition: Acquisition
) -> np.ndarray:
    """Cross section of the K or of the whole L shell by the hydrogenic model.

    Parameters
    ----------
    element : str
        Symbol.
    subshell : {"K", "L3"}
        "L3" gives all of the L shell, from the onset of L3.
    energy_eV : ndarray
        Energy losses; the result is 0 below the onset.
    acquisition : Acquisition
        Beam energy and the two semi-angles.

    Returns
    -------
    ndarray
        barn/eV for one atom.

    References
    ----------
    R. F. Egerton, Ultramicroscopy 4 (1979) 169 (SIGMAK); Proc. 39th Ann. Meet. EMSA
    (1981) 198 (SIGMAL).
    """
    return _evaluate(_component(element, subshell, HYDROGENIC), energy_eV, acquisition)


def tabulated_cross_section(
    element: str,
    subshell: str,
    energy_eV: np.ndarray,
    acquisition: Acquisition,
    gos: str | PathLike[str],
) -> np.ndarray:
    """Cross section of a subshell by a table of generalised oscillator strengths.

    Parameters
    ----------
    element : str
        Symbol.
    subshell : str
        Such as "M5".
    energy_eV : ndarray
        Energy losses; the result is 0 below the onset.
    acquisition : Acquisition
        Beam energy and the two semi-angles.
    gos : {"dft", "dirac"} or path
        One of exspy's tables, if exspy has downloaded it before, or a ``.gosh`` file.
        Nothing is downloaded here.

    Returns
    -------
    ndarray
        barn/eV for one atom.

    Raises
    ------
    FileNotFoundError
        If the table is not on this computer.
    ValueError
        If `gos` is something else, or the table lacks the edge.
    """
    path = _table(gos)
    try:
        component = _component(element, subshell, "dft", str(path))
    except ValueError as error:
        raise ValueError(
            f"`gos` is {str(gos)!r}, which has no {subshell} edge of {element!r}; use "
            "`gos='hydrogenic'`, or another table."
        ) from error
    return _evaluate(component, energy_eV, acquisition)


@lru_cache(maxsize=256)
def _component(
    element: str, subshell: str, gos: str, gos_file_path: str | None = None
) -> Any:
    from exspy.components import EELSCLEdge

    return EELSCLEdge(f"{element}_{subshell}", GOS=gos, gos_file_path=gos_file_path)


def _evaluate(
    component: Any, energy_eV: np.ndarray, acquisition: Acquisition
) -> np.ndarray:
    component.set_microscope_parameters(
        acquisition.beam_energy_keV,
        acquisition.convergence_angle_mrad,
        acquisition.collection_angle_mrad,
        acquisition.channel_width,
    )
    return component.function(energy_eV)


def _table(gos: str | PathLike[str]) -> Path:
    if str(gos).lower() in _TABLES:
        return _downloaded(str(gos).lower())
    path = Path(gos).expanduser()
    if path.suffix != ".gosh":
        raise ValueError(
            f"`gos` is {str(gos)!r}; it must be 'hydrogenic', 'dipole', 'dft', "
            "'dirac', or the path of a '.gosh' file."
        )
    if not path.is_file():
        raise FileNotFoundError(f"`gos` is the file {str(gos)!r}, which is not there.")
    return path


def _downloaded(gos: str) -> Path:
    import pooch

    found = sorted(Path(pooch.os_cache("pooch")).glob(f"*{_TABLES[gos]}*.gosh"))
    if not found:
        raise FileNotFoundError(
            f"`gos` is {gos!r}, a table that exspy has not downloaded yet. Let it do "
            f"so once, with `exspy.components.EELSCLEdge('Fe_L3', GOS={gos!r})`, or "
            "give the path of a '.gosh' file, or use `gos='hydrogenic'`."
        )
    return found[-1]
