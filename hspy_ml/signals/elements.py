# SPDX-License-Identifier: GPL-3.0-or-later
"""Which elements a signal holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..physics.composition import atomic_number


def elements_from_signal(
    s: Any, elements: Iterable[str] | None = None
) -> tuple[str, ...]:
    """Return the symbols of the elements, from the user or from the metadata.

    Parameters
    ----------
    s : hyperspy.api.signals.Signal1D
        The signal; ``metadata.Sample.elements`` is read first, then the elements
        of ``metadata.Sample.xray_lines``.
    elements : sequence of str, optional
        The symbols to use instead, for example ``["Fe", "O"]``.

    Returns
    -------
    tuple of str
        Symbols, each once. The order is that of the input, but a set, which has
        no order, is sorted.

    Raises
    ------
    TypeError
        If ``elements`` is a string, or holds something that is no string.
    ValueError
        If there are no elements, or a symbol is unknown or occurs twice in
        ``elements``.
    """
    if elements is None:
        return _elements_in_metadata(s)
    if isinstance(elements, str):
        raise TypeError(
            f"`elements` is the string {elements!r}; give a list of symbols, for "
            "example `elements=['Fe', 'O']`."
        )
    if not isinstance(elements, Iterable):
        raise TypeError(
            f"`elements` is {elements!r}; give a list of symbols, for example "
            "`elements=['Fe', 'O']`."
        )
    symbols = tuple(_checked(symbol) for symbol in _in_order(elements))
    if not symbols:
        raise ValueError("`elements` is empty; give at least one, such as ['Fe'].")
    _check_unique(symbols)
    return symbols


def _elements_in_metadata(s: Any) -> tuple[str, ...]:
    symbols = _read_list(s, "Sample.elements")
    if not symbols:
        lines = _read_list(s, "Sample.xray_lines")
        symbols = [str(line).split("_")[0] for line in lines]
    if not symbols:
        from .suggest_elements import suggestion_in_words

        method = "set_elements" if hasattr(s, "set_elements") else "add_elements"
        raise ValueError(
            f"The metadata name no elements. Set them with `s.{method}(['Fe', 'O'])` "
            "or give them as `elements=['Fe', 'O']`." + suggestion_in_words(s)
        )
    return tuple(dict.fromkeys(_checked(symbol) for symbol in symbols))


def _read_list(s: Any, key: str) -> list[Any]:
    """Read a list from the metadata, where it may be a bare string or a set."""
    value = s.metadata.get_item(key, None)
    if value is None:
        return []
    return value.split() if isinstance(value, str) else _in_order(value)


def _in_order(symbols: Iterable[Any]) -> list[Any]:
    if isinstance(symbols, (set, frozenset)):
        return sorted(symbols, key=str)
    return list(symbols)


def _checked(symbol: Any) -> str:
    if not isinstance(symbol, str):
        raise TypeError(
            f"`elements` holds {symbol!r}; give symbols as strings, such as 'Fe'."
        )
    atomic_number(str(symbol))
    return str(symbol)


def _check_unique(symbols: tuple[str, ...]) -> None:
    twice = sorted({symbol for symbol in symbols if symbols.count(symbol) > 1})
    if twice:
        raise ValueError(
            f"`elements` names {', '.join(twice)} more than once; name each once."
        )
