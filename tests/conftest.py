"""Puts this folder on the path: `camera_kernel` is for the tests of two rooms."""
