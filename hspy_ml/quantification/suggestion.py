# SPDX-License-Identifier: GPL-3.0-or-later
"""Which elements a spectrum holds, by likelihood ratio."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hspy_ml.physics.acquisition import Acquisition
from hspy_ml.physics.gmatrix import Column, GMatrix
from hspy_ml.physics.specimen import Specimen

from .candidates import Candidate, candidate_elements, unknown_specimen
from .energy_scale import refine_energy_scale
from .tempered import (
    TemperedFit,
    TemperedSpectrum,
    continuum_shapes,
    tempered_spectrum,
)

__all__ = ["ElementEvidence", "ElementSuggestion", "suggest_from_spectrum"]

LEAST_GAIN = 18.0  # of the log-likelihood: six standard deviations
LEAST_GAIN_OF_HARD_LINES = 12.5  # five
# Another element that explains so much of it is named as an alternative.
SIMILAR = 0.75
N_TRIED = 8
MOST_ELEMENTS = 25
CALIBRATING_ELEMENTS = 6

#: Where counts of an element come from that is not in the specimen.
FROM_ELSEWHERE = {
    "EDS_TEM": {
        "C": "film or contamination",
        "Si": "detector or holder",
        "Al": "holder or grid",
        "Ti": "holder",
        "Cr": "pole piece",
        "Fe": "pole piece",
        "Co": "pole piece",
        "Ni": "grid",
        "Cu": "grid",
        "Mo": "grid",
        "Au": "grid",
    },
    "EDS_SEM": {
        "C": "coating or contamination",
        "Al": "stub",
        "Si": "detector or wafer",
        "Cu": "stub or tape",
        "Mo": "holder",
        "Au": "coating",
        "Pd": "coating",
        "Pt": "coating",
    },
}


@dataclass(frozen=True)
class ElementEvidence:
    """Why an element is thought to be there.

    Parameters
    ----------
    element : str
    line : str
        Its line with the most counts, such as "Fe_Ka".
    energy_keV : float
        Energy of that line.
    counts : float
        Counts of all its lines.
    gain : float
        By how much the log-likelihood falls if it is left out and the others are
        fitted again. The square root of twice this is a number of standard deviations.
    alternatives : tuple of str
        Elements that would explain about the same; look at these before believing.
    elsewhere : str
        Where it may come from other than the specimen, such as "grid"; or empty.
    """

    element: str
    line: str
    energy_keV: float
    counts: float
    gain: float
    alternatives: tuple[str, ...]
    elsewhere: str


@dataclass(frozen=True)
class ElementSuggestion:
    """Elements that a spectrum seems to hold, the surest first.

    Parameters
    ----------
    evidence : tuple of ElementEvidence
    """

    evidence: tuple[ElementEvidence, ...]

    @property
    def elements(self) -> tuple[str, ...]:
        """Symbols, the surest first."""
        return tuple(found.element for found in self.evidence)

    def __repr__(self) -> str:
        if not self.evidence:
            return "ElementSuggestion: no element is sure enough"
        lines = [
            f"ElementSuggestion: {', '.join(self.elements)}",
            "  line      keV        counts  log-likelihood",
        ]
        for found in self.evidence:
            remarks = []
            if found.elsewhere:
                remarks.append(f"may be from {found.elsewhere}")
            if found.alternatives:
                remarks.append(f"or {', '.join(found.alternatives)}")
            lines.append(
                f"  {found.line:<6} {found.energy_keV:>7.3f} {found.counts:>12.0f} "
                f"{found.gain:>+13.1f}  {'; '.join(remarks)}".rstrip()
            )
        return "\n".join(lines)


def suggest_from_spectrum(
    counts: np.ndarray, acquisition: Acquisition
) -> ElementSuggestion:
    """Find elements, one after the other, that raise the likelihood most.

    Parameters
    ----------
    counts : ndarray, shape (n_channels,)
        The counts of all pixels together; NaN in channels that are not used.
    acquisition : Acquisition
        Technique "EDS_TEM" or "EDS_SEM", energies in keV, with a detector.

    Returns
    -------
    ElementSuggestion

    Notes
    -----
    To a continuum, of shapes behind several windows, is added the element whose
    families explain most of what is left (forward selection), until none raises the
    log-likelihood by 18; then each without which the others do as well is taken out.
    An element needs its harder lines, at an eighth or more of their predicted
    intensity, for its softer ones to count. Energy scale and resolution are refined
    with the first elements that are found. Strong peaks are believed to 2.5 % only
    (:mod:`hspy_ml.quantification.tempered`).
    """
    if not np.nansum(counts) > 0:
        return ElementSuggestion(())
    specimen = unknown_specimen(acquisition.technique)
    first, strong = _select(
        _Search.of(counts, acquisition, specimen), CALIBRATING_ELEMENTS
    )
    refined = _refined(counts, acquisition, first, strong)
    specimen = _composed_of(first, strong)
    search, chosen = _select(_Search.of(counts, refined, specimen), MOST_ELEMENTS)
    return _described(search, _pruned(search, chosen))


@dataclass(frozen=True, eq=False)
class _Search:
    """A spectrum, and the columns of all candidates."""

    spectrum: TemperedSpectrum
    specimen: Specimen
    candidates: list[Candidate]
    spectra: list[np.ndarray]  # (n_channels, n_families) each

    @classmethod
    def of(
        cls, counts: np.ndarray, acquisition: Acquisition, specimen: Specimen
    ) -> _Search:
        spectrum = tempered_spectrum(counts, acquisition, specimen)
        candidates = candidate_elements(acquisition, specimen)
        energy = spectrum.acquisition.energy[spectrum.trust > 0]
        within = [c.on_channels(energy) for c in candidates]
        seen = [c for c in within if c.families]
        spectra = [c.spectra(spectrum.acquisition).T for c in seen]
        return cls(spectrum, specimen, seen, spectra)

    def columns_of(self, chosen: list[int]) -> np.ndarray:
        none = np.zeros((self.spectrum.counts.size, 0))
        mixed = [self.spectra[i] @ self.candidates[i].mixing().T for i in chosen]
        return np.column_stack([none, *mixed])

    def fit(self, chosen: list[int]) -> TemperedFit:
        return self.spectrum.fit(self.columns_of(chosen))

    def counts_of_families(
        self, chosen: list[int], fit: TemperedFit
    ) -> list[np.ndarray]:
        """Counts of each family of the chosen in each channel."""
        sizes = [len(self.candidates[i].families) for i in chosen]
        parts = np.split(fit.weights, np.cumsum(sizes))
        return [
            self.spectra[i] * (part @ self.candidates[i].mixing())
            for i, part in zip(chosen, parts, strict=False)
        ]

    def trusting(self, chosen: list[int], fit: TemperedFit) -> _Search:
        """The same search, where the shapes of L and M lines are less trusted."""
        soft = {family: np.zeros(fit.model.size) for family in "LM"}
        for i, counts in zip(chosen, self.counts_of_families(chosen, fit), strict=True):
            for family, of_family in zip(
                self.candidates[i].families, counts.T, strict=True
            ):
                if family in soft:
                    soft[family] += of_family
        return replace(self, spectrum=self.spectrum.trusting(soft))

    def gain(self, chosen: list[int], i: int, before: TemperedFit) -> float:
        """Rise of the log-likelihood; none if the identifying lines are not there."""
        columns = self.columns_of(chosen)
        whole = self.spectrum.fit(np.column_stack([columns, self.columns_of([i])]))
        soft = self.candidates[i].without_hard_families()
        if soft is not None:
            softest = self.spectra[i] @ soft.T
            alone = self.spectrum.fit(np.column_stack([columns, softest]))
            if whole.log_likelihood - alone.log_likelihood < LEAST_GAIN_OF_HARD_LINES:
                return 0.0
        return whole.log_likelihood - before.log_likelihood

    def gains(self, chosen: list[int]) -> dict[int, float]:
        """Of the most promising candidates that are not chosen."""
        fit = self.fit(chosen)
        return {i: self.gain(chosen, i, fit) for i in self._promising(fit, chosen)}

    def _promising(self, fit: TemperedFit, chosen: list[int]) -> list[int]:
        """Candidates by what their best column alone would gain."""
        others = [i for i in range(len(self.candidates)) if i not in chosen]
        gains = self.spectrum.approximate_gains(
            fit, self.columns_of(chosen), self.columns_of(others)
        )
        sizes = [len(self.candidates[i].families) for i in others]
        best = np.maximum.reduceat(gains, np.cumsum([0, *sizes[:-1]]))
        return [others[i] for i in np.argsort(-best)[:N_TRIED]]


def _select(search: _Search, most: int) -> tuple[_Search, list[int]]:
    chosen: list[int] = []
    while len(chosen) < most:
        best = _best(search, search.gains(chosen))
        if best is None:
            break
        chosen = [*chosen, best]
        search = search.trusting(chosen, search.fit(chosen))
    return search, chosen


def _best(search: _Search, gains: dict[int, float]) -> int | None:
    """The candidate with the largest gain, rare ones at a disadvantage."""

    def handicapped(i: int) -> float:
        rarity = search.candidates[i].rarity
        enough = gains[i] > LEAST_GAIN * rarity**2
        return enough * gains[i] / rarity

    best = max(gains, key=handicapped)
    return best if handicapped(best) > 0 else None


def _losses(search: _Search, chosen: list[int]) -> dict[int, float]:
    """What the log-likelihood loses without each of the chosen."""
    losses = {}
    for i in chosen:
        others = [j for j in chosen if j != i]
        losses[i] = search.gain(others, i, search.fit(others))
    return losses


def _pruned(search: _Search, chosen: list[int]) -> dict[int, float]:
    """Take out those that later ones have made superfluous; return the losses."""
    losses = _losses(search, chosen)
    while losses and min(losses.values()) < LEAST_GAIN:
        chosen = [i for i in chosen if i != min(losses, key=losses.get)]
        losses = _losses(search, chosen)
    return losses


def _composed_of(search: _Search, chosen: list[int]) -> Specimen:
    """A bulk of what was found, for the shapes of continuum and soft lines."""
    if search.specimen.geometry == "film" or not chosen:
        return search.specimen
    fit = search.fit(chosen)
    counts = search.counts_of_families(chosen, fit)
    masses = {}
    for i, of_channels in zip(chosen, counts, strict=True):
        main = of_channels.sum(axis=0).argmax()
        per_mass = search.spectra[i][:, main].sum()
        masses[search.candidates[i].element] = of_channels[:, main].sum() / per_mass
    total = sum(masses.values())
    return Specimen({e: mass / total for e, mass in masses.items()}, "bulk")


def _refined(
    counts: np.ndarray, acquisition: Acquisition, search: _Search, chosen: list[int]
) -> Acquisition:
    """The acquisition with the energy scale on which the chosen elements fit."""
    strong = [search.candidates[i] for i in chosen]
    if not strong:
        return acquisition
    names = [(c.element, family) for c in strong for family in c.families]
    columns = tuple(Column(f"{e} {f}", "element", e, f) for e, f in names)
    shapes = continuum_shapes(acquisition, search.specimen)
    columns += tuple(
        Column(f"continuum {i}", "continuum") for i in range(shapes.shape[1])
    )

    def build(shifted: Acquisition) -> GMatrix:
        spectra = [spectrum for c in strong for spectrum in c.spectra(shifted)]
        return GMatrix(np.column_stack([*spectra, shapes]), columns, shifted)

    used = np.isfinite(counts)
    scale = refine_energy_scale(np.where(used, counts, 0), acquisition, build, used)
    return scale.applied_to(acquisition)


def _described(search: _Search, losses: dict[int, float]) -> ElementSuggestion:
    chosen = list(losses)
    counts = search.counts_of_families(chosen, search.fit(chosen))
    technique = search.spectrum.acquisition.technique
    evidence = []
    for i, of_channels in zip(chosen, counts, strict=True):
        candidate, of_families = search.candidates[i], of_channels.sum(axis=0)
        family = candidate.families[of_families.argmax()]
        evidence.append(
            ElementEvidence(
                candidate.element,
                f"{candidate.element}_{family}a",
                candidate.line_energy_keV(family),
                float(of_families.sum()),
                losses[i],
                _alternatives(search, [j for j in chosen if j != i], i, losses[i]),
                FROM_ELSEWHERE[technique].get(candidate.element, ""),
            )
        )
    return ElementSuggestion(tuple(sorted(evidence, key=lambda e: -e.gain)))


def _alternatives(
    search: _Search, others: list[int], i: int, loss: float
) -> tuple[str, ...]:
    """Elements that explain about as much, if this one is left out."""
    gains = search.gains(others)
    similar = [j for j in gains if j != i and gains[j] > SIMILAR * loss]
    return tuple(search.candidates[j].element for j in similar)
