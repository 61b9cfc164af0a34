"""Measurements: each prints medians and ratios to a bound or peer of the same run; none asserts a time."""
