# SPDX-License-Identifier: GPL-3.0-or-later
"""`classify_phases` on a signal: what is known of the phases, and what was found."""
