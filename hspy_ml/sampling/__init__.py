# SPDX-License-Identifier: GPL-3.0-or-later
"""Dynamic sparse sampling: a map of phases from a fraction of its pixels."""
