#!/usr/bin/env python3
"""Goes through infra/RUNBOOK.md, step by step: makes what each chapter is about happen to a local stack, runs the chapter's commands as they stand
there, and checks that what the text promises has come true.

    python tests/outside/runbook.py [--before DIRECTORY] [--now DIRECTORY]

It needs the AWS CLI, curl and jq. It starts `local` from the directory `--now` (target/debug), and stops it. `--before` holds the functions of the release before:
they are exchanged with those of now, one by one and back. Without it that chapter is left out, and the last line says so.

A block whose commands only AWS has is replaced by what it comes to here (see `STAND_INS`). A block that no trial runs is an error.
"""

import argparse
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time

# Nothing is left beside the sources.
sys.dont_write_bytecode = True
import runbook_stack  # noqa: E402
import runbook_trials  # noqa: E402

PAGE = pathlib.Path(__file__).resolve().parents[2] / "infra" / "RUNBOOK.md"
COMMAND_LIMIT_S = 60
# The AWS CLI takes the address of SQS from nothing else.
LOCAL = 'aws() { command aws --endpoint-url "$AWS" "$@"; }'

# How a block begins that only AWS can run, and what the trial does in its place.
STAND_INS = {
    "for name in ingest-failure restart": "restart",
    "for name in ingest-failure run-job": "stop",
    "aws dynamodb restore-table-to-point-in-time": "put_back",
    "for name in ingest-failure list restart": "start",
    "git checkout": "exchange",
}


def chapters(text):
    """The blocks of each chapter, by its heading."""
    found, heading = {}, None
    for match in re.finditer(r"^#+ ([^\n]*)$|^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        if match.group(1):
            heading = match.group(1)
        else:
            found.setdefault(heading, []).append(match.group(2))
    return found


class Page:
    """The page's blocks, and which of them were run."""

    def __init__(self, stack):
        self.chapters = chapters(PAGE.read_text())
        self.stack = stack
        self.ran = set()
        # What the first block sets is read once and given to every other block.
        self.preamble = LOCAL
        self.preamble = self.bash(self.chapters.pop("Runbook")[0] + "\ndeclare -p STACK URL ARN; declare -f")

    def run(self, heading, number=0, **variables):
        """Runs one block of a chapter and gives what it printed; does what stands in for it where only AWS can run it."""
        block = self.chapters[heading][number]
        self.ran.add((heading, number))
        for beginning, stand_in in STAND_INS.items():
            if block.startswith(beginning):
                return getattr(self.stack, stand_in)()
        return self.bash(block, **variables)

    def bash(self, block, **variables):
        script = f"set -euo pipefail\n{self.preamble}\n{block}"
        environment = {**self.stack.environment(), **variables}
        done = subprocess.run(["bash", "-c", script], env=environment, capture_output=True, text=True, timeout=COMMAND_LIMIT_S, check=False)
        if done.returncode:
            raise SystemExit(f"exit {done.returncode}\n{block}\n{done.stdout}{done.stderr}")
        return done.stdout

    def forgotten(self, left_out):
        blocks = {(heading, number) for heading, blocks in self.chapters.items() for number in range(len(blocks))}
        return sorted((heading, number + 1) for heading, number in blocks - self.ran if heading not in left_out)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--now", type=pathlib.Path, default=PAGE.parents[1] / "target" / "debug", help="where the binaries of this release are")
    parser.add_argument("--before", type=pathlib.Path, help="where the functions of the release before are")
    options = parser.parse_args()
    left_out = [] if options.before else ["Upgrade, roll back"]
    with tempfile.TemporaryDirectory() as directory, runbook_stack.Stack(pathlib.Path(directory), options.now, options.before) as stack:
        page = Page(stack)
        for heading, trial in runbook_trials.TRIALS.items():
            if heading in left_out:
                continue
            began = time.monotonic()
            trial(page, stack)
            print(f"{heading}: as the page says ({time.monotonic() - began:.1f} s)", flush=True)
        if forgotten := page.forgotten(left_out):
            sys.exit(f"no trial runs these blocks of {PAGE.name}: {json.dumps(forgotten)}")
        print(f"{PAGE.name}: {len(page.ran)} blocks" + (f"; left out: {', '.join(left_out)}" if left_out else ""))


if __name__ == "__main__":
    main()
