"""A call in the register of a fleet: how it is saved, ends here when it goes on elsewhere, and comes from elsewhere."""
