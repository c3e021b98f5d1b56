"""What every domain stands on: money, time, ids, errors. Standard library only."""
