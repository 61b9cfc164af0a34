"""Benchmarks. Each prints medians and ratios to a bound or a peer measured in the same run; none asserts a time."""
