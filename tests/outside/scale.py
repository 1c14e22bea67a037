#!/usr/bin/env python3
"""Simulates an outage with many failures, using only boto3 and urllib: everything must be counted, listed once and sent once.

    cargo local -- --no-demo
    python tests/outside/scale.py --http http://127.0.0.1:3000 --aws http://127.0.0.1:4566 [--failures 100000]

Takes some minutes at full size and prints the time of each part. A difference ends it with an error.
"""

import argparse
import collections
import json
import threading
import time
import urllib.error
import urllib.request

import boto3

OTHER_FLOWS = 50
QUIET = {"retry": {"mode": "manual"}, "confirmation": {"within": "48h"}}


class Reprise:
    def __init__(self, http, aws):
        self.http, self.aws = http, aws

    def sqs(self):
        return boto3.client("sqs", endpoint_url=self.aws, region_name="eu-west-1",
                            aws_access_key_id="any", aws_secret_access_key="any")

    def queue(self, name):
        return f"{self.aws}/000000000000/{name}"

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.http + path, method=method, data=data,
                                         headers={"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read())

    def send(self, reports):
        sqs = self.sqs()
        for start in range(0, len(reports), 10):
            entries = [{"Id": str(i), "MessageBody": json.dumps(report)}
                       for i, report in enumerate(reports[start:start + 10])]
            answer = sqs.send_message_batch(QueueUrl=self.queue("reprise-failures"), Entries=entries)
            assert not answer.get("Failed"), answer

    def waiting(self, queue):
        answer = self.sqs().get_queue_attributes(QueueUrl=self.queue(queue), AttributeNames=["All"])["Attributes"]
        return sum(int(answer[f"ApproximateNumberOfMessages{kind}"]) for kind in ("", "NotVisible", "Delayed"))

    def until(self, done, pause=0.2):
        while not done():
            time.sleep(pause)

    def job(self, flow, **body):
        order = {"reason": "the partner is back", "selection": {"all": True}, **body}
        return self.call("POST", f"/flows/{flow}/retry", order)["id"]

    def ended(self, job, status):
        self.until(lambda: self.call("GET", f"/jobs/{job}")["status"] == status)
        return self.call("GET", f"/jobs/{job}")["counts"]


def report(flow, number):
    day = f"2026-01-01T{number // 3600 % 24:02}:{number // 60 % 60:02}:{number % 60:02}.{number % 1000:03}Z"
    return {"type": "interchange.failed", "interchangeId": f"{flow}-{number}", "flow": flow, "attempt": 1,
            "occurredAt": day, "error": {"category": "system", "code": f"E{number % 7}",
                                         "message": f"connect timeout {number} to erp.globex.example:443"},
            "payloads": {"sender": {"body": f"UNB+{number}"}, "receiver": {"body": f"<order>{number}</order>"}}}


def timed(what, began):
    print(f"{what}: {time.time() - began:.1f} s", flush=True)


def counted(reprise, failures):
    """All failures arrive, and the counts of flows and groups are exact."""
    others = failures // 5
    for flow in ["big"] + [f"other-{n:02}" for n in range(OTHER_FLOWS)]:
        reprise.call("PUT", f"/flows/{flow}", QUIET)
    reports = [report("big", n) for n in range(failures)]
    reports += [report(f"other-{n % OTHER_FLOWS:02}", n) for n in range(others)]
    began = time.time()
    halves = [threading.Thread(target=reprise.send, args=(reports[half::2],)) for half in range(2)]
    for half in halves:
        half.start()
    for half in halves:
        half.join()
    timed(f"{len(reports)} failures sent", began)
    reprise.until(lambda: reprise.waiting("reprise-failures") == 0)
    timed(f"{len(reports)} failures stored", began)
    began = time.time()
    failed = {flow["flow"]: flow["counts"]["failed"] for flow in reprise.call("GET", "/flows")["items"]}
    timed(f"GET /flows of {len(failed)}", began)
    assert failed["big"] == failures, failed["big"]
    assert sum(count for flow, count in failed.items() if flow.startswith("other-")) == others
    groups = reprise.call("GET", "/flows/big/groups")["items"]
    assert sum(group["count"] for group in groups) == failures and len(groups) == min(7, failures), groups


def paged(reprise, failures):
    """While failures are added and deleted, every other failure is listed exactly once."""
    began, seen, gone, cursor, pages = time.time(), collections.Counter(), set(), "", 0
    while cursor is not None:
        page = reprise.call("GET", f"/flows/big/interchanges?limit=200{cursor}")
        seen.update(item["interchangeId"] for item in page["items"])
        cursor = f"&cursor={page['cursor']}" if "cursor" in page else None
        pages += 1
        if pages % 50 == 25:
            reprise.send([report("big", failures + pages)])
            reprise.call("POST", f"/interchanges/big-{pages}/delete", {"reason": "leaves"})
            gone.add(f"big-{pages}")
    timed(f"{pages} pages", began)
    assert all(count == 1 for count in seen.values()), "a failure was listed twice"
    missing = {f"big-{n}" for n in range(failures)} - gone - seen.keys()
    assert not missing, sorted(missing)[:5]
    reprise.until(lambda: reprise.waiting("reprise-failures") == 0)


def sent(reprise):
    """One job is cancelled while it runs, the next one sends the rest, and each message is on the stage once."""
    failed = reprise.call("GET", "/flows/big")["counts"]["failed"]
    began, first = time.time(), reprise.job("big")
    reprise.until(lambda: reprise.call("GET", f"/jobs/{first}")["counts"]["sent"] > failed // 4)
    sent_at_cancel = reprise.call("POST", f"/jobs/{first}/cancel")["counts"]["sent"]
    stopped = reprise.ended(first, "cancelled")["sent"]
    print(f"cancelled at {sent_at_cancel} of {failed}, stopped at {stopped}")
    rest = reprise.ended(reprise.job("big"), "completed")["sent"]
    timed(f"{failed} retried by two jobs", began)
    assert stopped + rest == failed, (stopped, rest)
    assert reprise.call("GET", "/flows/big")["counts"]["waiting_for_retry"] == failed
    sqs, stage, staged = reprise.sqs(), reprise.queue("reprise-receiver-stage"), collections.Counter()
    while True:
        messages = sqs.receive_message(QueueUrl=stage, MaxNumberOfMessages=10,
                                       MessageAttributeNames=["reprise"]).get("Messages", [])
        if not messages:
            break
        for message in messages:
            reentry = json.loads(message["MessageAttributes"]["reprise"]["StringValue"])
            staged[reentry["interchangeId"], reentry["attempt"]] += 1
        sqs.delete_message_batch(QueueUrl=stage, Entries=[
            {"Id": str(i), "ReceiptHandle": message["ReceiptHandle"]} for i, message in enumerate(messages)])
    assert len(staged) == failed and set(staged.values()) == {1}, "not every message was sent exactly once"


def capped(reprise):
    """A job with a cap and a rate sends exactly that many messages at that rate."""
    reprise.call("PUT", "/flows/paced", QUIET)
    reprise.send([report("paced", n) for n in range(1200)])
    reprise.until(lambda: reprise.waiting("reprise-failures") == 0)
    job, moments = reprise.job("paced", cap=1000, rate=50), []
    while not moments or moments[-1][1] < 1000:
        moments.append((time.time(), reprise.call("GET", f"/jobs/{job}")["counts"]["sent"]))
        time.sleep(0.05)
    assert reprise.ended(job, "completed")["sent"] == 1000
    at = {mark: next(moment for moment, count in moments if count >= mark) for mark in (250, 750)}
    rate = 500 / (at[750] - at[250])
    print(f"requested 50 per second, measured {rate:.1f} over ten seconds")
    assert 45 <= rate <= 55, rate


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--http", required=True)
    parser.add_argument("--aws", required=True)
    parser.add_argument("--failures", type=int, default=100_000)
    parser.add_argument("--fill", action="store_true", help="stop when the failures are stored and counted")
    options = parser.parse_args()
    reprise = Reprise(options.http, options.aws)
    counted(reprise, options.failures)
    if options.fill:
        return
    paged(reprise, options.failures)
    sent(reprise)
    capped(reprise)
    print("all checks passed")


if __name__ == "__main__":
    main()
