# SPDX-License-Identifier: GPL-3.0-or-later
"""What `ml_quantify` has to know besides the counts: elements, specimen, scale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ...physics.acquisition import Acquisition
    from ...quantification.standards import Sensitivity
    from ...quantification.unmeasured import Completion

_STERADIAN_SPHERE = 4 * np.pi


@dataclass(frozen=True)
class UnmeasuredElement:
    """How the element is found that its line does not measure.

    Parameters
    ----------
    element : str or None
        None if all elements are measured.
    rule : {"stoichiometry", "difference"} or None
    valences : mapping of str to float, optional
        For stoichiometry.
    """

    element: str | None = None
    rule: str | None = None
    valences: Mapping[str, float] | None = None


@dataclass(frozen=True)
class Scale:
    """What turns weights into absolute amounts.

    Parameters
    ----------
    sensitivities : mapping of str to Sensitivity
        From standards; empty without.
    electrons : float or None
        Per pixel.
    solid_angle_sr : float or None
        Of the detector.
    """

    sensitivities: Mapping[str, Sensitivity]
    electrons: float | None
    solid_angle_sr: float | None

    @property
    def whole(self) -> float | None:
        """What the amounts of all elements sum to in a bulk; None if unknown."""
        if self.sensitivities and self.electrons:
            return self.electrons
        if self.solid_angle_sr and self.electrons:
            return self.electrons * self.solid_angle_sr / _STERADIAN_SPHERE
        return None

    def relative_errors(self, measured: tuple[str, ...]) -> np.ndarray | None:
        """Errors of the sensitivities of the measured elements, relative to them."""
        if not self.sensitivities:
            return None
        known = self.sensitivities
        return np.array(
            [known[e].relative_error if e in known else 0.0 for e in measured]
        )


def unmeasured_element(
    elements: tuple[str, ...],
    by_stoichiometry: str | None,
    by_difference: str | None,
    valences: Mapping[str, float] | None,
) -> UnmeasuredElement:
    """Check what the user says of the unmeasured element.

    Parameters
    ----------
    elements : tuple of str
    by_stoichiometry, by_difference : str or None
        A symbol; at most one of the two.
    valences : mapping of str to float or None

    Returns
    -------
    UnmeasuredElement

    Raises
    ------
    ValueError, TypeError
        If both are given, or a value is no symbol.
    """
    from ...physics.composition import atomic_number

    if by_stoichiometry is not None and by_difference is not None:
        raise ValueError(
            "`by_stoichiometry` and `by_difference` were both given; one element at "
            "most can go unmeasured."
        )
    element = by_stoichiometry or by_difference
    if element is None:
        return UnmeasuredElement()
    if not isinstance(element, str):
        raise TypeError(
            f"`by_stoichiometry` or `by_difference` is {element!r}; give the symbol "
            'of one element, such as "O".'
        )
    atomic_number(element)
    if set(elements) == {element}:
        raise ValueError(
            f"{element!r} is the only element, so that nothing is measured; name the "
            "others with `elements` or `s.set_elements([...])`."
        )
    rule = "stoichiometry" if by_stoichiometry else "difference"
    return UnmeasuredElement(element, rule, valences)


def with_element(elements: tuple[str, ...], element: str | None) -> tuple[str, ...]:
    """The elements, with one more unless it is among them or None."""
    return elements if element in (None, *elements) else (*elements, element)


def completion_of(
    elements: tuple[str, ...],
    unmeasured: UnmeasuredElement,
    concentration: str,
    scale: Scale,
) -> Completion:
    """From weights to amounts of all elements.

    Parameters
    ----------
    elements : tuple of str
        All elements.
    unmeasured : UnmeasuredElement
    concentration : {"mass", "atomic"}
        What the weights count.
    scale : Scale

    Returns
    -------
    Completion

    Raises
    ------
    ValueError
        If the element by difference has nothing to differ from, or there is no
        valence.
    """
    from dataclasses import replace

    from ...quantification.unmeasured import (
        by_difference,
        by_stoichiometry,
        measured_only,
    )

    element = unmeasured.element
    if unmeasured.rule == "stoichiometry":
        found = by_stoichiometry(elements, element, concentration, unmeasured.valences)
    elif unmeasured.rule == "difference":
        found = by_difference(elements, element, _checked_whole(scale))
    else:
        found = measured_only(elements)
    measured = [e for e in elements if e != element]
    return replace(found, transfer=found.transfer / _factors(measured, scale))


def _factors(measured: list[str], scale: Scale) -> np.ndarray:
    """Sensitivity to each element; the mean of the others where it has no standard."""
    known = {e: s.value for e, s in scale.sensitivities.items()}
    if not known:
        return np.ones(len(measured))
    mean = float(np.mean(list(known.values())))
    return np.array([known.get(e, mean) for e in measured])


def _checked_whole(scale: Scale) -> float:
    if scale.whole is None:
        raise ValueError(
            "`by_difference` needs to know what the elements sum to: give `standards`, "
            "or `solid_angle_sr`, and the dose: `electrons` per pixel, or beam current "
            "and live time in the metadata of a single spectrum."
        )
    return scale.whole


def electrons_of(s: Any, acquisition: Acquisition, electrons: Any) -> float | None:
    """Electrons per pixel, from the user, or from the metadata of a single spectrum.

    Parameters
    ----------
    s : hyperspy.api.signals.Signal1D
    acquisition : Acquisition
    electrons : float or None
        What the user gave.

    Returns
    -------
    float or None
        None for maps without `electrons`: their live time may be that of a pixel or
        of the map.

    Raises
    ------
    ValueError
        If `electrons` is not above zero.
    """
    from ...quantification.standards import number_of_electrons
    from ..options import check_number

    if electrons is not None:
        check_number("electrons", electrons)
        return float(electrons)
    if s.axes_manager.navigation_size > 1:
        return None
    return number_of_electrons(acquisition)
