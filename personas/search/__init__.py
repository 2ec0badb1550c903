"""Which personas fit some words."""
