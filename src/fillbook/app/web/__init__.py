"""The HTTP application: every domain's routes on one FastAPI app, made from services that are passed in."""
