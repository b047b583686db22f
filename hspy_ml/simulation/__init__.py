# SPDX-License-Identifier: GPL-3.0-or-later
"""Specimens and spectrum images of which the truth is known."""
