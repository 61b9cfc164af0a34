"""Simulation: an offline fake site, and what runs against it: the demo, the chaos drill and the reconciliation.

Boundary: no module that collects articles imports this package; `tests/test_layers.py` checks that.
"""
