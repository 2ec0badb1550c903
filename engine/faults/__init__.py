"""Faults that the engine shows on demand: data, the script that lists them, and their effect on a connection."""
