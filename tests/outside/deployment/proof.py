"""Counts what was checked, and says of the first thing that is not as it should be what it is and how long it was waited for."""

import time


class Failed(Exception):
    """Something is not as it should be."""


class Proof:
    """The checks of one stack. With a limit, nothing is waited for longer than so many seconds, and steps are not told."""

    def __init__(self, limit=None):
        self.checks, self.step, self._limit, self._started = 0, "start", limit, time.monotonic()

    def seconds(self):
        return time.monotonic() - self._started

    def begin(self, step):
        """Names what the following checks are about."""
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
        """Every field that is expected is there with its value; others may be."""
        self.equal(what, {name: (found or {}).get(name) for name in expected}, expected)

    def wait(self, what, look, within=30):
        """Looks until there is something to see, and gives it."""
        within = min(within, self._limit or within)
        end = time.monotonic() + within
        while not (seen := look()):
            if time.monotonic() > end:
                raise Failed(f"waited {within} s for {what}")
            time.sleep(0.1)
        self.checks += 1
        return seen

    def comes_to(self, what, look, expected, within=30):
        """Looks until it is as expected: an index of DynamoDB is a little late."""
        end = time.monotonic() + min(within, self._limit or within)
        while (seen := look()) != expected and time.monotonic() < end:
            time.sleep(0.1)
        self.equal(what, seen, expected)

    def wait_for(self, what, look, within=30, **expected):
        """Looks until all these fields have these values, and gives what is seen."""
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
