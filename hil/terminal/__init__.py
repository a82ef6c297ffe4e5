"""A laser terminal for a serial line: its rules, an emulated head, and how a lab serves its own."""
