"""The plant: orbit, light, power, heat and the optical channel that the node lives in."""
