"""Decisions of admission: who may come in, who talks to whom, how often and how much may come."""
