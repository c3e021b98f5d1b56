"""`python -m storm --seeds N --from K`: run seeds in worker processes; see `run.py`."""

from storm.run import main

if __name__ == "__main__":
    main()
