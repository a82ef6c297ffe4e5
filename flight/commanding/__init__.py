"""From an authenticated frame to an acknowledged effect."""
