# SPDX-License-Identifier: GPL-3.0-or-later
"""Published coefficients, as data files with their sources in ``README.md``."""

from __future__ import annotations

import csv
from functools import lru_cache
from importlib.resources import files
from types import MappingProxyType
from typing import NamedTuple

__all__ = ["BoteSalvatCoefficients", "bote_salvat"]


class BoteSalvatCoefficients(NamedTuple):
    """Coefficients of one subshell, named as in Bote et al. (2009)."""

    edge_energy_eV: float
    a1: float
    a2: float
    a3: float
    a4: float
    a5: float
    Be: float
    Anlj: float
    g1: float
    g2: float
    g3: float
    g4: float


@lru_cache(maxsize=1)
def bote_salvat() -> MappingProxyType[tuple[int, str], BoteSalvatCoefficients]:
    """Coefficients of the ionisation cross sections of 731 subshells.

    Returns
    -------
    mapping of (int, str) to BoteSalvatCoefficients
        Keys are atomic number and subshell, such as ``(26, "K")``; read only.

    References
    ----------
    D. Bote, F. Salvat, A. Jablonski, C. J. Powell, At. Data Nucl. Data Tables 95
    (2009) 871; erratum 97 (2011) 186.
    """
    table = files(__name__).joinpath("bote_salvat_2009.csv")
    with table.open(encoding="ascii", newline="") as stream:
        rows = csv.reader(stream)
        next(rows)
        coefficients = {
            (int(number), shell): BoteSalvatCoefficients(*map(float, values))
            for number, shell, *values in rows
        }
    return MappingProxyType(coefficients)
