"""Simulation: an offline copy of the site, and what runs against it: the demo, the chaos drill, the reconciliation.

Boundary: nothing that collects imports this package; `tests/test_layers.py` checks that.
"""
