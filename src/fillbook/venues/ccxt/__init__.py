"""Real venues through ccxt: signing, transport and error mapping are ccxt's, parsing and limits are ours."""
