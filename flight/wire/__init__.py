"""Bytes between node and ground. A leaf: flight, ground and bench import it, it imports no room."""
