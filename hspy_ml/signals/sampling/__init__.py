# SPDX-License-Identifier: GPL-3.0-or-later
"""`dynamic_sampling` on a signal: the replay of an acquisition, and its result."""
