"""Training of the shipped networks: a bench activity, needs the extra ``lumenode[train]``."""
