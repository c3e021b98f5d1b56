"""The simulated exchange: a matching core, and servers that speak the wire of a venue in front of it."""
