"""The bench: knows everything, is never imported by flight."""
