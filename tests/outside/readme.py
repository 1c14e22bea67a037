#!/usr/bin/env python3
"""Runs the examples of README.md and of the READMEs it links to against a stack with the demo, and compares what they print with what they promise.

A block runs as one shell script, command after command. The comment lines after a command are its promise: each is a line that the command prints,
in this order; other lines may stand between them. Numbered comments ("# 1. …") are headings. A command that only reads is repeated for up to half a minute, as an outcome may still be on its way.
The blocks that start, test and deploy Reprise are not run here: CI does what they say in other steps, and this script checks that it does.
"""

import argparse
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = ["README.md", "crates/contract/README.md", "crates/http-edge/README.md"]
READ_AGAIN_S = 30
COMMAND_LIMIT_S = 60
# Where CI runs the commands that are not run here.
ELSEWHERE = {
    "cargo local": None,  # started by .ci/run for this script, in the same build
    "tests/run": None,
    "python3 -m venv": None,  # .ci/run installs the same pins by `pinned tools`
    "sam build": ".ci/run",
    "sam deploy": "tests/outside/deployment/stack.py",
}


def blocks(text):
    """Yields the lines of each shell block."""
    for match in re.finditer(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield match.group(1).splitlines()


def commands(lines):
    """Yields (command, promised lines). A command goes on while its quotes are open or its line ends in a pipe."""
    command, promises = [], []
    for line in lines:
        if line.startswith("# ") and not is_open(command):
            if not re.match(r"# \d+\. ", line):
                promises.append(line[2:])
            continue
        if command and not is_open(command):
            yield "\n".join(command), promises
            command, promises = [], []
        command.append(line)
    if command:
        yield "\n".join(command), promises


def is_open(command):
    text = "\n".join(command)
    return text.count("'") % 2 == 1 or text.rstrip().endswith(("|", "\\"))


def holds(promises, printed):
    """Whether the promised lines were printed in this order."""
    lines = iter(printed.splitlines())
    return all(any(promise == line for line in lines) for promise in promises)


def only_reads(command):
    return " -d " not in command and command.startswith(("curl ", "sleep "))


class Shell:
    """One bash for a block, so that its variables and functions stay."""

    def __init__(self, ports):
        self.preamble = ""
        self.ports = ports

    def run(self, command):
        for port, address in self.ports.items():
            command = command.replace(port, address)
        script = f"set -euo pipefail\n{self.preamble}\n{command}\n"
        done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False)
        if done.returncode == 0 and re.match(r"export |\w+\(\)", command):
            self.preamble += command + "\n"
        return done.returncode, done.stdout, done.stderr


def try_command(shell, command, promises):
    end = time.monotonic() + READ_AGAIN_S
    while True:
        code, printed, complaint = shell.run(command)
        kept = code == 0 and holds(promises, printed)
        if kept or not only_reads(command) or time.monotonic() > end:
            break
        time.sleep(0.5)
    if kept:
        return True
    print(f"the page is wrong about:\n{command}\nexit {code}, printed:\n{printed}{complaint}promised:")
    print("\n".join(promises))
    return False


def run_elsewhere(command):
    """Checks that CI runs a command which is not run here."""
    start = next((start for start in ELSEWHERE if command.startswith(start)), None)
    if start is None:
        return None
    place = ELSEWHERE[start]
    words = command.split("#")[0].split()
    return place is None or all(word in (ROOT / place).read_text() for word in words)


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--http", default="http://localhost:3000", help="address of the HTTP API")
    options.add_argument("--aws", default="http://localhost:4566", help="address of the AWS endpoint")
    options = options.parse_args()
    ports = {"localhost:3000": options.http.removeprefix("http://"), "localhost:4566": options.aws.removeprefix("http://")}
    for page in PAGES:
        run_page(page, ports)


def run_page(page, ports):
    ran = promised = 0
    for lines in blocks((ROOT / page).read_text()):
        shell = Shell(ports)
        for command, promises in commands(lines):
            elsewhere = run_elsewhere(command)
            if elsewhere is False:
                sys.exit(f"CI does not run this command of {page}: {command}")
            if elsewhere is None and not try_command(shell, command, promises):
                sys.exit(f"{page} does not hold")
            ran += elsewhere is None
            promised += len(promises)
    if not ran or not promised:
        sys.exit(f"{page} has no example: {ran} commands, {promised} promises")
    print(f"{page}: {ran} commands ran, {promised} lines were printed as promised")


if __name__ == "__main__":
    main()
