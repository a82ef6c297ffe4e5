"""Results on their way to the ground: what goes next, what arrived, and what may be forgotten."""
