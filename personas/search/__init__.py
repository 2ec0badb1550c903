"""Finds the personas that match the words of a query."""
