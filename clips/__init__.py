"""The recordings of the demo, so that a wheel has them."""
