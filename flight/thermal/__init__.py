"""Heat: estimate, board profile and governor."""
