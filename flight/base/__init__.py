"""Leaves of the flight software: time, channels, rate groups, supervision. Imports nothing above."""
