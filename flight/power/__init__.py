"""State of charge, power budget and the orbit as seen from on board."""
