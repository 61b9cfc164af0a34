"""Service health: conditions, incidents and disk forecasts.

Boundary: pure functions from figures and instants to conditions and messages.
"""
