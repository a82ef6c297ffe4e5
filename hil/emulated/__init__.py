"""An aarch64 processor for the flight process, by user-mode emulation on any Debian-like host."""
