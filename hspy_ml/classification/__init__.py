# SPDX-License-Identifier: GPL-3.0-or-later
"""Which phase a spectrum is of, or whether it is of none that is known."""
