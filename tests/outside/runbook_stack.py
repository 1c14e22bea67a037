"""A local stack that the trials of the runbook start, stop, restore and give the functions of another release."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import time
import urllib.request

import boto3

from samples import Reprise

HTTP, AWS = "127.0.0.1:3923", "127.0.0.1:4923"
START_S = 30
WAIT_S = 30
POLL_S = 0.1
# The table's file of the local endpoint. Queues and schedules are in another one, as a restore leaves them alone.
TABLE = "dynamodb.sqlite"
# The flow of failures that are reported to see whether the functions work.
PROBES = "probes"


def until(what, found):
    """Waits until `found` gives something, and gives that."""
    end = time.monotonic() + WAIT_S
    while not (value := found()):
        if time.monotonic() > end:
            raise SystemExit(f"waited {WAIT_S} s in vain: {what}")
        time.sleep(POLL_S)
    return value


class Stack:
    """`local` on a data directory."""

    def __init__(self, directory, now, before):
        self.data, self.backup, self.functions = directory / "data", directory / "backup", directory / "functions"
        self.now, self.before, self.runs_now = now.resolve(), before and before.resolve(), True
        self.log = directory / "log"
        self.process = None

    def __enter__(self):
        self.functions.mkdir()
        for function in self.names():
            (self.functions / function).symlink_to(self.now / function)
        self.start()
        return self

    def __exit__(self, kind, *_):
        self.stop()
        if kind:
            print(self.log.read_text()[-1500:])

    def names(self):
        """The functions' binaries, as the template names them."""
        lines = (pathlib.Path(__file__).resolve().parents[2] / "infra" / "template.yaml").read_text().splitlines()
        return [line.split(":")[1].strip() for line in lines if line.strip().startswith("Binary:")]

    def environment(self):
        """What commands of the page are run with."""
        own = {"API": f"http://{HTTP}", "AWS": f"http://{AWS}", "AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any",
               "AWS_DEFAULT_REGION": "eu-west-1", "AWS_PAGER": "", "AWS_EC2_METADATA_DISABLED": "true"}
        return {**os.environ, **own}

    def start(self):
        if self.process and self.process.poll() is None:
            return
        command = [self.now / "local", "--no-demo", "--http", HTTP, "--aws", AWS, "--data", self.data, "--binaries", self.functions]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        end = time.monotonic() + START_S
        while "\nready:" not in "\n" + self.log.read_text():
            if self.process.poll() is not None or time.monotonic() > end:
                raise SystemExit(f"local does not start:\n{self.log.read_text()}")
            time.sleep(POLL_S)
        self.reprise = Reprise(f"http://{HTTP}", f"http://{AWS}")
        self.table = boto3.client("dynamodb", endpoint_url=f"http://{AWS}", region_name="eu-west-1", aws_access_key_id="any", aws_secret_access_key="any")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=START_S)

    def restart(self):
        self.stop()
        self.start()

    def keep(self):
        """Takes the copy of the table that `put_back` restores."""
        self.stop()
        self.backup.mkdir()
        for file in self.data.glob(f"{TABLE}*"):
            shutil.copy2(file, self.backup)
        self.start()

    def put_back(self):
        """Restores the table, and starts the endpoint, as the next command needs it. No event is there that would start a function."""
        for file in self.data.glob(f"{TABLE}*"):
            file.unlink()
        for file in self.backup.iterdir():
            shutil.copy2(file, self.data)
        self.start()

    def exchange(self):
        """Gives each function the binary of the other release, one after the other, while everything goes on."""
        other = self.before if self.runs_now else self.now
        self.runs_now = not self.runs_now
        probes = []
        for function in self.names():
            binary = other / function
            fresh = self.functions / f"{function}.fresh"
            fresh.symlink_to(binary if binary.is_file() else self.now / function)
            fresh.replace(self.functions / function)
            for process in self.processes(function):
                os.kill(process, signal.SIGKILL)
            probes.append(self.probe())
        for is_there in probes:
            until("failures are taken in by functions of both releases", is_there)

    def processes(self, function):
        """The functions' processes are children of `local`."""
        for entry in pathlib.Path("/proc").iterdir():
            try:
                name, rest = (entry / "stat").read_text().split("(", 1)[1].rsplit(")", 1)
            except (OSError, IndexError):
                continue
            if name == function[:15] and int(rest.split()[1]) == self.process.pid:
                yield int(entry.name)

    def probe(self):
        """Reports a failure; what it gives tells whether that was taken in."""
        name = f"probe-{time.monotonic_ns()}"
        self.report(name, PROBES)
        return lambda: self.reprise.call("GET", f"/interchanges/{name}")[0] == 200

    def post_aws(self, path, body):
        request = urllib.request.Request(f"http://{AWS}/_local/{path}", json.dumps(body).encode(), method="POST")
        with urllib.request.urlopen(request, timeout=120) as answer:
            return answer.read()

    def advance(self, by):
        self.post_aws("clock", {"advance": by})

    def fail(self, fault="serverError", **matches):
        """Every call that agrees fails until `mend`."""
        self.post_aws("faults", [{"matches": matches, "oneIn": [1, 1.0], "for": "1000h", "fault": fault}])

    def mend(self):
        request = urllib.request.Request(f"http://{AWS}/_local/faults", method="DELETE")
        urllib.request.urlopen(request, timeout=30).close()

    def report(self, name, flow, kind="failed", **more):
        payload = {"body": f"payload of {name}"}
        report = {"type": f"interchange.{kind}", "interchangeId": name, "flow": flow, "payloads": {"sender": payload, "receiver": payload}}
        if kind != "failed":
            del report["payloads"]
        self.reprise.put(json.dumps({**report, **more}))

    def interchange(self, name):
        status, answer, _ = self.reprise.call("GET", f"/interchanges/{name}")
        return json.loads(answer) if status == 200 else {}

    def has_status(self, name, status):
        until(f"{name} is {status}", lambda: self.interchange(name).get("status") == status)

    def kinds(self, name):
        return [event["kind"] for event in self.interchange(name)["events"]]

    def queue(self, name):
        return self.reprise.sqs.get_queue_url(QueueName=name if "." in name else f"reprise-{name}")["QueueUrl"]

    def count(self, name):
        attributes = self.reprise.sqs.get_queue_attributes(QueueUrl=self.queue(name), AttributeNames=["ApproximateNumberOfMessages"])
        return int(attributes["Attributes"]["ApproximateNumberOfMessages"])

    def take(self, name, count, may_repeat=False):
        """Takes the messages of so many interchanges off a stage, and finds no others there. One that comes twice must be the same attempt."""
        taken = {}

        def more():
            answer = self.reprise.sqs.receive_message(QueueUrl=self.queue(name), MaxNumberOfMessages=10, MessageAttributeNames=["All"],
                                                      MessageSystemAttributeNames=["All"])
            for message in answer.get("Messages", []):
                message["reprise"] = json.loads(message["MessageAttributes"]["reprise"]["StringValue"])
                name_of = message["reprise"]["interchangeId"]
                before = taken.get(name_of)
                assert not before or may_repeat and before["reprise"] == message["reprise"], f"{name_of} came twice"
                taken[name_of] = message
                self.reprise.sqs.delete_message(QueueUrl=self.queue(name), ReceiptHandle=message["ReceiptHandle"])
            return len(taken) >= count

        until(f"{count} messages on {name}", lambda: more() and self.count(name) == 0)
        assert len(taken) == count, f"more than {count} messages were on {name}: {sorted(taken)}"
        return taken
