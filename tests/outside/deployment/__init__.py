"""What `tests/outside/deploy.py` is made of: an AWS to deploy to, the stack on it, and what must be true of that stack."""
