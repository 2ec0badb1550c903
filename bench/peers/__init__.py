"""Servers of others' frameworks, to be measured beside ours. See README.md."""
