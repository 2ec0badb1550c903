"""The call outlives the caller's connection: what is kept for them, who may come back, and what happens meanwhile."""
