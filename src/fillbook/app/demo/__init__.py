"""The demo: a simulated exchange, the server, accounts and a strategy, on a database that is thrown away."""
