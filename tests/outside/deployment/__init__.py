"""The parts of `tests/outside/deploy.py`: an AWS emulator, the stack deployed to it, and the checks of that stack."""
