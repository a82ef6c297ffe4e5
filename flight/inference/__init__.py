"""On-board inference: image -> job -> result -> products."""
