"""The composition root in parts: only `flight.app` puts them together."""
