"""The typed Python face of the C hardware abstraction layer: flight's only way to the hardware."""
