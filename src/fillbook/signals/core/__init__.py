"""The pure part of the intake; see each module's first lines."""
