"""Several servers: the limits of a fleet (decision 81), and calls that go on at another one (decisions 78 to 80)."""
