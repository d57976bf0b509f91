"""
Adapters for the programs that people already run: a module each.

An adapter takes a spec, opens what its host hands over, counts what was ``opened`` and what
``failed``, and never raises an error that comes from data. Each is imported by who uses it.
"""
