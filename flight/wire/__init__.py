"""What goes over the links, byte by byte: a leaf that flight, ground and bench import."""
