"""An offline fake site, the demo and the chaos drill that run against it, and the reconciliation of a drill.

Boundary: no module that collects articles imports this package; `tests/test_layers.py` checks that.
"""
