"""Fault detection, isolation and recovery: limits are watched and answered by tables."""
