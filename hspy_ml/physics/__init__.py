# SPDX-License-Identifier: GPL-3.0-or-later
"""What the specimen and the instrument do: arrays in, arrays out."""
