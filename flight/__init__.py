"""The flight software of one orbital compute node."""

__version__ = "0.1.0"
