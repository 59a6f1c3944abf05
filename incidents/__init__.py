"""Events: reading, counting, density, hot spots, rates, trends, how far to trust them."""
