"""The numbers that the messages of a call carry: types of their own, so that mypy tells them apart."""

from typing import NewType

ChoiceId = NewType("ChoiceId", int)
"""A choice of the caller's (a persona, a profile or a mode), from 1 in each call."""

Generation = NewType("Generation", int)
"""A connection to the model, from 1 in each call."""
