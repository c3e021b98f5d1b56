"""The pure part of orders; see each module's first lines."""
