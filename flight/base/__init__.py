"""Leaves of the flight software: time, channels, rate groups, supervision; nothing above."""
