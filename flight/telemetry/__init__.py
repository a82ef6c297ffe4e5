"""Telemetry: the dictionary, the events, the recorder."""
