"""People: users, API tokens, what an installation is called, answers kept for repeated requests."""
