"""The far end of the link: stations, receiver, operator."""
