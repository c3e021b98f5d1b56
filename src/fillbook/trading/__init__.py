"""What moves money: planner, booking, and one runner per account (stream, sender, look-ups, cancels)."""
