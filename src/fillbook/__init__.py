"""Fillbook: self-hosted automatic trading for many exchange accounts, where the fills are the truth."""
