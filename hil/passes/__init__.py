"""Contacts ahead: predicted from an orbit, one of them flown and drawn."""
