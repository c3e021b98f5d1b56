"""Configuration as one document: what a rebuilt database cannot learn from the exchanges."""
