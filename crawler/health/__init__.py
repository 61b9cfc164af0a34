"""Service health: conditions, incidents and disk forecasts.

Boundary: pure; figures and instants in, conditions and messages out.
"""
