"""Budgets: what calls may spend, what they have spent, and how much of a day is free."""
