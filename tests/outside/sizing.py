"""Measures peak memory and CPU time of each function process, to choose MemorySize in the template.

    sam build --config-file samplconfig.toml
    target/debug/local --no-demo --binaries target/x86_64-unknown-linux-gnu/release
    python tests/outside/sizing.py --binaries target/x86_64-unknown-linux-gnu/release [--failures 3000 --bytes 800]

Reports failures, lists them and restarts all of them with one job, on a stack that runs the binaries that are deployed. Run it
manually on a new stack, as the figures count from the start of a process. CPU time is that of a full core; Lambda provides one at
1,769 MB and a proportional part below. The local endpoint uses plain HTTP, so the figures do not include TLS.
"""

import argparse
import json
import pathlib
import time
import urllib.request

import boto3

TICK = 10  # milliseconds; the unit of the times in /proc
MAX_WAIT = 300  # seconds until a wait fails


def call(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data=data)) as answer:
        return json.load(answer)


def report(number, size):
    payloads = {side: {"body": f"{side} of {number} ".ljust(size, "x")} for side in ("sender", "receiver")}
    error = {"category": "mapping", "message": "no unit"}
    return json.dumps({"type": "interchange.failed", "interchangeId": f"sizing-{number}", "flow": "sizing", "error": error, "payloads": payloads})


def send(aws, failures, size):
    sqs = boto3.client("sqs", endpoint_url=aws, region_name="eu-west-1", aws_access_key_id="any", aws_secret_access_key="any")
    queue = sqs.get_queue_url(QueueName="reprise-failures")["QueueUrl"]
    for number in range(failures):
        sqs.send_message(QueueUrl=queue, MessageBody=report(number, size))


def until(what, true):
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > MAX_WAIT:
            raise SystemExit(f"waited {MAX_WAIT} s for {what}")
        time.sleep(0.5)


def processes(binaries):
    """Name, CPU milliseconds and peak megabytes of each function process."""
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            program = (process / "exe").resolve()
            times = (process / "stat").read_text().rsplit(")", 1)[1].split()
            peak = next(line for line in (process / "status").read_text().splitlines() if line.startswith("VmHWM"))
        except (OSError, StopIteration):
            continue
        if program.parent == binaries:
            yield program.name, (int(times[11]) + int(times[12])) * TICK, int(peak.split()[1]) / 1024


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--http", default="http://127.0.0.1:3000")
    options.add_argument("--aws", default="http://127.0.0.1:4566")
    options.add_argument("--binaries", type=pathlib.Path, required=True, help="the directory of the functions that `local` runs")
    options.add_argument("--failures", type=int, default=3000)
    options.add_argument("--bytes", type=int, default=800, help="size of each of the two payloads")
    given = options.parse_args()
    flow = f"{given.http}/flows/sizing"

    send(given.aws, given.failures, given.bytes)
    failed = lambda: sum(item["counts"].get("failed", 0) for item in call(f"{given.http}/flows")["items"])
    until("all failures to be stored", lambda: failed() >= given.failures)
    for _ in range(20):
        call(f"{flow}/interchanges?limit=200")
    job = call(f"{flow}/restart", {"reason": "sizing", "selection": {"all": True}})
    until("the job to end", lambda: call(f"{given.http}/jobs/{job['id']}")["status"] == "completed")

    together = {}
    for name, cpu, peak in processes(given.binaries.resolve()):
        count, spent, largest = together.get(name, (0, 0, 0.0))
        together[name] = (count + 1, spent + cpu, max(largest, peak))
    for name, (count, spent, largest) in sorted(together.items()):
        print(f"{name:16} {count} processes  {spent:6} ms CPU  peak {largest:5.1f} MB")


if __name__ == "__main__":
    main()
