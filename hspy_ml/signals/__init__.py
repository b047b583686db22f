# SPDX-License-Identifier: GPL-3.0-or-later
"""The methods on HyperSpy's signals; the only stage that knows HyperSpy.

Nothing is imported here: registration needs `methods` while HyperSpy itself is
only half imported.
"""
