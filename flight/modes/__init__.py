"""Operating modes and the table that moves between them."""
