"""OKX v5: spot and USDT perpetual swaps."""
