# SPDX-License-Identifier: GPL-3.0-or-later
"""What is in a spectrum: exact likelihood, standards, and their errors."""
