"""The rows of orders: the only SQL of this domain."""
