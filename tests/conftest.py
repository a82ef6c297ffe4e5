"""Puts this folder on the path: `camera_kernel` and `cable` are for the tests of several rooms."""
