"""One package per venue: its REST and WebSocket wire in front of the matching core."""
