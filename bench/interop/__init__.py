"""Programs of others against ours: which of what they do works. See README.md."""
