"""Scorers: the cores that fly, driven over a referee's cases, and the product's own bounds."""
