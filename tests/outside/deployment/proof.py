"""Counts checks, and fails at the first one that does not hold, with the difference and the time that it waited."""

import time


class Failed(Exception):
    """A check failed."""


class Proof:
    """The checks of one stack. With a limit, no wait is longer than so many seconds, and steps are not printed."""

    def __init__(self, limit=None):
        self.checks, self.step, self._limit, self._started = 0, "start", limit, time.monotonic()

    def seconds(self):
        return time.monotonic() - self._started

    def begin(self, step):
        """Sets the step to which the following checks belong."""
        self.step = step
        if not self._limit:
            print(f"[{self.seconds():4.0f} s] {step}", flush=True)

    def true(self, what, found):
        self.checks += 1
        if not found:
            raise Failed(f"{what}: not so")

    def equal(self, what, found, expected):
        self.checks += 1
        if found != expected:
            raise Failed(f"{what}: {_short(found)} in place of {_short(expected)}")

    def holds(self, what, found, expected):
        """Checks that every expected field has its value. Other fields are ignored."""
        self.equal(what, {name: (found or {}).get(name) for name in expected}, expected)

    def wait(self, what, look, within=30):
        """Polls until the result is true, and returns it."""
        within = min(within, self._limit or within)
        end = time.monotonic() + within
        while not (seen := look()):
            if time.monotonic() > end:
                raise Failed(f"waited {within} s for {what}")
            time.sleep(0.1)
        self.checks += 1
        return seen

    def comes_to(self, what, look, expected, within=30):
        """Polls until the result is as expected, as an index of DynamoDB is eventually consistent."""
        end = time.monotonic() + min(within, self._limit or within)
        while (seen := look()) != expected and time.monotonic() < end:
            time.sleep(0.1)
        self.equal(what, seen, expected)

    def wait_for(self, what, look, within=30, **expected):
        """Polls until all these fields have these values, and returns the result."""
        within = min(within, self._limit or within)
        end = time.monotonic() + within
        while True:
            seen = look()
            if seen and all(seen.get(name) == value for name, value in expected.items()):
                self.checks += 1
                return seen
            if time.monotonic() > end:
                raise Failed(f"waited {within} s for {what} with {expected}; last seen: {_short(seen)}")
            time.sleep(0.1)


def _short(value):
    text = repr(value)
    return text if len(text) <= 600 else text[:600] + "..."
