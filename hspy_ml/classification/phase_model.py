# SPDX-License-Identifier: GPL-3.0-or-later
"""A classifier of phases with the spectra that it is for: saved, loaded, looked at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from ..networks.model_card import ModelCard
from ..networks.model_file import StoredModel
from ..networks.saved_model import SavedModel, model_from_file
from .classified import TASK, Classified, PhaseClassifier
from .conditions import SpectrumConditions

if TYPE_CHECKING:
    from ..counts import Counts

__all__ = ["TASK", "PhaseModel", "load_phase_model"]

# architecture on the card -> module and class
_CLASSIFIERS = {
    "TemplateLikelihood": ("likelihood_classifier", "LikelihoodClassifier"),
    "PhaseNetwork": ("network_classifier", "NetworkClassifier"),
    "SeedNetworks": ("seed_models", "SeedClassifier"),
}
_SPECTRA, _NOTES = "spectra", "notes"


@dataclass(frozen=True, eq=False)
class PhaseModel(SavedModel):
    """Tells the phases of spectra of certain conditions.

    ``hspy_ml.train_classifier`` makes one, ``s.classify_phases(model)`` uses it.

    Parameters
    ----------
    classifier : PhaseClassifier
        Of the used channels.
    conditions : SpectrumConditions
        Of the spectra that it is for.
    notes : tuple of str
        Where its references come from, and why this classifier was chosen.
    """

    classifier: PhaseClassifier
    conditions: SpectrumConditions
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The phases that it knows."""
        return self.classifier.names

    @property
    def architecture(self) -> str:
        """Which kind of classifier it is."""
        return self.card.architecture

    @property
    def card(self) -> ModelCard:
        """What it is for and how it was made."""
        return self.to_stored().card

    def classify(
        self,
        counts: Counts,
        *,
        num_workers: int | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> Classified:
        """Classify spectra of the used channels.

        Parameters
        ----------
        counts : SparseCounts or DenseCounts
            n_spectra by the number of used channels.
        num_workers : int, optional
            Threads; all cores by default.
        progress : callable, optional
            Called with the number of spectra just done.

        Returns
        -------
        Classified
        """
        return self.classifier.classify(
            counts, num_workers=num_workers, progress=progress
        )

    def label_spectra(self, spectra: np.ndarray) -> np.ndarray:
        """Labels of spectra as they come from a microscope.

        Parameters
        ----------
        spectra : ndarray, shape (n_spectra, n_channels)
            Counts in all channels; one spectrum may be of one dimension.

        Returns
        -------
        ndarray of int16, shape (n_spectra,)
            1 for the first of `names`, 0 for no phase that is known.

        Raises
        ------
        ValueError
            If they have another number of channels, or are no counts.

        Examples
        --------
        >>> acquire_map(sampler, microscope, model.label_spectra)  # doctest: +SKIP
        """
        from ..counts import DenseCounts

        spectra = np.atleast_2d(spectra)
        if spectra.ndim != 2 or spectra.shape[1] != self.conditions.n_channels:
            raise ValueError(
                f"`spectra` have the shape {spectra.shape}; (n, "
                f"{self.conditions.n_channels}) is expected."
            )
        used = np.ascontiguousarray(spectra[:, self.conditions.used_channels])
        if not (np.isfinite(used).all() and (used >= 0).all()):
            raise ValueError("`spectra` hold counts that are negative or not finite.")
        return self.classifier.classify(DenseCounts(used), num_workers=1).labels

    def to_stored(self) -> StoredModel:
        """Card and weights as they are in a file."""
        inner = self.classifier.to_stored()
        added: dict[str, Any] = {
            _SPECTRA: self.conditions.to_dict(),
            _NOTES: list(self.notes),
        }
        card = replace(inner.card, conditions={**inner.card.conditions, **added})
        return StoredModel(card, inner.weights)

    @classmethod
    def from_stored(cls, stored: StoredModel) -> PhaseModel:
        """The model of a file's card and weights.

        Parameters
        ----------
        stored : StoredModel

        Returns
        -------
        PhaseModel

        Raises
        ------
        ValueError
            If card and weights do not make a model for classification.
        """
        card = stored.card
        if card.task != TASK or card.architecture not in _CLASSIFIERS:
            raise ValueError(
                f"The model is a {card.architecture} for {card.task}; one of "
                f"{', '.join(_CLASSIFIERS)} for {TASK} is expected. Make one with "
                "`hspy_ml.train_classifier`."
            )
        own = dict(card.conditions)
        if _SPECTRA not in own:
            raise ValueError("its card does not say which spectra it is for")
        conditions = SpectrumConditions.from_dict(own.pop(_SPECTRA))
        notes = tuple(str(note) for note in own.pop(_NOTES, ()))
        inner = StoredModel(replace(card, conditions=own), stored.weights)
        classifier = _class_of(card.architecture).from_stored(inner)
        n_used = int(conditions.used_channels.sum())
        if classifier.n_channels != n_used:
            raise ValueError(
                f"its classifier takes {classifier.n_channels} channels, but its card "
                f"says {n_used}"
            )
        return cls(classifier, conditions, notes)

    def __repr__(self) -> str:
        return f"PhaseModel for {', '.join(self.names)}\n{self.info()}"


def load_phase_model(path: str | PathLike[str]) -> PhaseModel:
    """Load a model file for classification; nothing in it can be executed.

    Parameters
    ----------
    path : str or path

    Returns
    -------
    PhaseModel

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it is no model file for classification, or damaged; the message says why.
    """
    return model_from_file(path, TASK, PhaseModel.from_stored)


def _class_of(architecture: str) -> Any:
    module, name = _CLASSIFIERS[architecture]
    return getattr(import_module(f"{__package__}.{module}"), name)
