"""OKX: spot and linear swaps, in one account with one wallet."""
