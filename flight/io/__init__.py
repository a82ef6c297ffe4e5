"""The two edges of the control cycle: sensors in, actuators out."""
