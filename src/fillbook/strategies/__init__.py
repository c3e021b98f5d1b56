"""Strategies, their links to accounts, and the capital of each link."""
