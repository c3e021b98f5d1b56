"""The pure part of trading; see each module's first lines."""
