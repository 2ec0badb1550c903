"""Everything that actors say to each other: one file an arrow.

Facts travel up in the past tense, commands travel down in the imperative.
"""
