"""Engines: distribute work over processes, or over a cluster, and choose plain or compiled functions.

Engines schedule work; they never change results.
"""
