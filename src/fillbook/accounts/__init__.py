"""Exchange accounts: credentials vault, balances, trading state, verified leverage and modes."""
