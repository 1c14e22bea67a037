"""Sends every file of a directory through a running Reprise and compares what comes back, byte for byte. Without a
directory it sends payloads of its own.

It uses only the HTTP API and boto3 with the AWS endpoint, as a pipeline in any language can.

    cargo local -- --no-demo
    python tests/outside/samples.py --http http://127.0.0.1:3000 --aws http://127.0.0.1:4566 [DIRECTORY]

Each file is sent as a report (sender and receiver payload), as a raw dead letter if SQS accepts it as text, through the
dead-letter queue of a stage, and inside a Lambda failure record. It must be listed and shown unchanged, and a retry must
send it to the receiver stage and a restart to the sender stage. Prints one line for each file and form. The exit code is 1
when anything differs. If the flow `unassigned` has no stages, it gets the stack's sender stage.
"""

import argparse
import base64
import json
import pathlib
import random
import re
import sys
import time
import urllib.error
import urllib.request
import uuid

import boto3

MAX_WAIT = 30  # seconds for anything to arrive
TENANT = {"tenant": {"DataType": "String", "StringValue": "acme"}}
# SQS refuses characters that XML 1.0 does not allow.
REFUSED = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def own_payloads():
    """Difficult payloads: other encodings, control characters, random bytes, an empty one."""
    edifact = "UNB+UNOC:3+ACME+GLOBEX+261120:1400+7'UNH+1+ORDERS:D:96A:UN'BGM+220+PO-1001+9'FTX+AAI+++Grüße'UNT+4+1'"
    xml = "<?xml version='1.0'?>\r\n<Order>\r\n\t<Name>Łoś 東京 🚚</Name>\r\n</Order>\r\n\r\n"
    return {
        "edifact": edifact.encode(),
        "edifact in latin-1": edifact.encode("latin-1"),
        "edifact with control separators": edifact.translate(str.maketrans("+:'", "\x1d\x1f\x1c")).encode(),
        "xml": xml.encode(),
        "xml in utf-16": xml.encode("utf-16"),
        "byte order mark": "\ufefforder;quantity\r\n".encode(),
        "json": b'{ "type": "order",  "quantity": 48.50 }\n',
        "blanks": b" \t\r\n ",
        "noise": random.Random(17).randbytes(64 * 1024),
        "half a megabyte": b"".join(b"LIN+%07d'" % n for n in range(40_000)),
        "empty": b"",
    }


def text_of(payload):
    """The payload as text; None if it is not UTF-8."""
    try:
        return payload.decode("utf-8")
    except UnicodeDecodeError:
        return None


def sqs_text(payload):
    """The payload as an SQS body; None if SQS refuses it."""
    text = text_of(payload)
    return None if not text or REFUSED.search(text) else text


class Case:
    """One file in one form, with the differences that were found."""

    def __init__(self, name, form, sender, receiver=None, content_type=None, attributes=None):
        self.name, self.form = name, form
        self.sender, self.receiver, self.content_type = sender, receiver, content_type
        self.attributes = attributes or {}
        self.id = self.flow = None
        self.problems = []

    def check(self, what, found, expected):
        if found != expected:
            self.problems.append(f"{what}: {str(found)[:200]!r} in place of {str(expected)[:200]!r}")
        return found == expected


class Reprise:
    """The HTTP API and the queues of a stack."""

    def __init__(self, http, aws):
        self.http = http.rstrip("/")
        self.sqs = boto3.client(
            "sqs", endpoint_url=aws, region_name="eu-west-1", aws_access_key_id="any", aws_secret_access_key="any"
        )
        self.failures, self.sender_stage, self.receiver_stage = (
            self.sqs.get_queue_url(QueueName=f"reprise-{name}")["QueueUrl"]
            for name in ("failures", "sender-stage", "receiver-stage")
        )

    def call(self, method, path, body=None):
        """Sends a request and returns status, body and content type."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"content-type": "application/json"} if data else {}
        request = urllib.request.Request(self.http + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=MAX_WAIT) as answer:
                return answer.status, answer.read(), answer.headers.get("content-type")
        except urllib.error.HTTPError as error:
            return error.code, error.read(), error.headers.get("content-type")

    def ok(self, method, path, body=None):
        status, answer, _ = self.call(method, path, body)
        if status not in (200, 202):
            raise SystemExit(f"{method} {path}: {status} {answer.decode()}")
        return json.loads(answer)

    def put(self, body, queue=None, attributes=None):
        """Sends a message to the failures queue, or to another one, and returns its id."""
        answer = self.sqs.send_message(
            QueueUrl=queue or self.failures, MessageBody=body, MessageAttributes=attributes or {}
        )
        return answer["MessageId"]

    def interchange(self, case, **expected):
        """Waits until the interchange has the expected fields, and returns it; None after the time-out."""
        end = time.monotonic() + MAX_WAIT
        while True:
            status, answer, _ = self.call("GET", f"/interchanges/{case.id}")
            found = json.loads(answer)
            if status == 200 and all(found.get(name) == value for name, value in expected.items()):
                return found
            if time.monotonic() > end:
                case.problems.append(f"waited for {expected}: {status} {str(found)[:300]}")
                return None
            time.sleep(0.1)

    def listed(self, flow):
        """The ids in the list of a flow, read page by page."""
        ids, cursor = set(), ""
        while True:
            page = self.ok("GET", f"/flows/{flow}/interchanges?limit=7{cursor}")
            ids.update(item["interchangeId"] for item in page["items"])
            if "cursor" not in page:
                return ids
            cursor = "&cursor=" + page["cursor"]

    def receive(self, queue, ids):
        """Receives and deletes the messages of these interchanges from a stage queue. Other messages stay there."""
        end, found = time.monotonic() + MAX_WAIT, {}
        while len(found) < len(ids) and time.monotonic() < end:
            answer = self.sqs.receive_message(
                QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=1, MessageAttributeNames=["All"]
            )
            for message in answer.get("Messages", []):
                reprise = json.loads(message["MessageAttributes"]["reprise"]["StringValue"])
                if reprise["interchangeId"] in ids:
                    self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
                    found[reprise["interchangeId"]] = (message, reprise)
        return found


def failure_record(request_id, function, payload):
    """The record that Lambda sends to an on-failure destination, with the sender payload in it and its media type."""
    text = text_of(payload)
    request = text if text is not None else {"isBase64Encoded": True, "body": base64.b64encode(payload).decode()}
    record = {
        "version": "1.0",
        "timestamp": "2026-11-20T14:00:00.000Z",
        "requestContext": {
            "requestId": request_id,
            "functionArn": f"{function}:$LATEST",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": request,
        "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
        "responsePayload": {"errorMessage": "no rule for segment FTX", "errorType": "MappingError"},
    }
    body = json.dumps(record)
    return (body, payload, None) if text is not None else (body, json.dumps(request).encode(), "application/json")


def in_report(payload, content_type):
    text = text_of(payload)
    body = {"body": text} if text is not None else {"body": base64.b64encode(payload).decode(), "encoding": "base64"}
    return {**body, "contentType": content_type}


def configure(reprise, run):
    """Creates a flow with a stage queue and a function, and stages for `unassigned`. Returns the queue's URL and the function's ARN."""
    stage = f"samples-{run}"
    policy = {"deadLetterTargetArn": queue_arn(reprise, reprise.failures), "maxReceiveCount": 1}
    url = reprise.sqs.create_queue(QueueName=stage, Attributes={"RedrivePolicy": json.dumps(policy)})["QueueUrl"]
    function = f"arn:aws:lambda:eu-west-1:000000000000:function:samples-{run}"
    reprise.ok("PUT", f"/flows/samples-{run}", {
        "retry": {"mode": "manual"},
        "deadLetterQueues": [{"arn": queue_arn(reprise, url), "phase": "delivery"}],
        "functions": [function],
    })
    unassigned = reprise.ok("GET", "/flows/unassigned")
    if "sender" not in unassigned.get("stages", {}):
        unassigned["stages"] = {"sender": {"queueUrl": reprise.sender_stage}}
        reprise.ok("PUT", "/flows/unassigned", unassigned)
    return url, function


def queue_arn(reprise, url):
    return reprise.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def send(reprise, files, run):
    """Sends every file in every form."""
    stage, function = configure(reprise, run)
    cases = []
    for number, (name, payload) in enumerate(files.items()):
        case = Case(name, "report", payload, payload, "application/edifact")
        case.id, case.flow = f"{run}-{number}", f"samples-{run}"
        payload_in_report = in_report(payload, case.content_type)
        report = {"type": "interchange.failed", "interchangeId": case.id, "flow": case.flow, "attempt": 1,
                  "error": {"category": "system", "message": "connect timeout"},
                  "payloads": {"sender": payload_in_report, "receiver": payload_in_report}}
        reprise.put(json.dumps(report))
        cases.append(case)

        text = sqs_text(payload)
        if text is not None:
            case = Case(name, "dead letter", payload, attributes=TENANT)
            case.id, case.flow = "dlq-" + reprise.put(text, attributes=TENANT), "unassigned"
            cases.append(case)
            case = Case(name, "stage's dead letter", payload, payload, attributes=TENANT)
            case.id, case.flow = "dlq-" + reprise.put(text, queue=stage, attributes=TENANT), f"samples-{run}"
            cases.append(case)

        record, request, content_type = failure_record(f"{run}-{number}", function, payload)
        case = Case(name, "failure record", request, content_type=content_type)
        case.id, case.flow = f"lambda-{run}-{number}", f"samples-{run}"
        reprise.put(record)
        cases.append(case)
    # When a message of the stage is received a second time, SQS moves it to the failures queue.
    while reprise.sqs.receive_message(QueueUrl=stage, MaxNumberOfMessages=10, VisibilityTimeout=0).get("Messages"):
        pass
    return cases


def shown(reprise, cases):
    """Checks lists, heads and payloads."""
    for case in cases:
        found = reprise.interchange(case, status="failed", flow=case.flow)
        for side, payload in (("sender", case.sender), ("receiver", case.receiver)):
            status, answer, content_type = reprise.call("GET", f"/interchanges/{case.id}/payloads/{side}")
            if payload is None:
                case.check(f"{side} payload", status, 404)
            elif case.check(f"{side} payload's status", status, 200) and found:
                case.check(f"{side} payload", answer, payload)
                case.check(f"{side} payload's length", found["payloads"][side]["bytes"], len(payload))
                if case.content_type:
                    case.check("content type", content_type, case.content_type)
    for flow in {case.flow for case in cases}:
        ids = reprise.listed(flow)
        for case in (case for case in cases if case.flow == flow):
            case.check("listed", case.id in ids, True)


def re_entered(reprise, cases, action, queue):
    """Requests the action for all of them and checks the messages on the stage queue."""
    attempts = {}
    for case in cases:
        status, answer, _ = reprise.call("POST", f"/interchanges/{case.id}/{action}", {"reason": "to compare"})
        if case.check(f"{action}'s status", status, 200):
            attempts[case.id] = json.loads(answer)["attempt"]
        else:
            case.problems.append(answer.decode()[:300])
    messages = reprise.receive(queue, set(attempts))
    for case in (case for case in cases if case.id in attempts):
        if not case.check(f"{action} arrived", case.id in messages, True):
            continue
        message, attribute = messages[case.id]
        payload = case.receiver if action == "retry" else case.sender
        expected = {"interchangeId": case.id, "flow": case.flow, "attempt": attempts[case.id], "epoch": 1, "action": action,
                    "trigger": "manual"}
        if case.content_type:
            expected["contentType"] = case.content_type
        body = message["Body"]
        if sqs_text(payload) is None:
            expected["encoding"] = "base64"
            case.check(f"{action}'s payload", base64.b64decode(body), payload)
        else:
            case.check(f"{action}'s payload", body.encode(), payload)
        case.check(f"{action}'s reprise", attribute, expected)
        carried = {name: {"DataType": a["DataType"], "StringValue": a["StringValue"]}
                   for name, a in message["MessageAttributes"].items() if name != "reprise"}
        case.check(f"{action}'s attributes", carried, case.attributes)


def failed_again(reprise, cases):
    """Reports that the attempts in flight failed."""
    for case in cases:
        reprise.put(json.dumps({"type": "interchange.failed", "interchangeId": case.id, "flow": case.flow,
                                "attempt": 2}))
    for case in cases:
        reprise.interchange(case, status="failed", attempt=2)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--http", default="http://127.0.0.1:3000", help="URL of the HTTP API")
    arguments.add_argument("--aws", default="http://127.0.0.1:4566", help="URL of the AWS endpoint")
    arguments.add_argument("directory", type=pathlib.Path, nargs="?", help="the directory with the files to send")
    options = arguments.parse_args()
    if options.directory:
        files = {file.name: file.read_bytes() for file in sorted(options.directory.iterdir()) if file.is_file()}
    else:
        files = own_payloads()
    if not files:
        raise SystemExit(f"{options.directory} holds no files")

    reprise = Reprise(options.http, options.aws)
    cases = send(reprise, files, uuid.uuid4().hex[:8])
    shown(reprise, cases)
    retried = [case for case in cases if case.receiver is not None]
    re_entered(reprise, retried, "retry", reprise.receiver_stage)
    failed_again(reprise, retried)
    re_entered(reprise, cases, "restart", reprise.sender_stage)

    for case in cases:
        result = "differs" if case.problems else "same"
        print(f"{result:8} {case.name:32} {case.form:20} {len(case.sender):>8} bytes  {'; '.join(case.problems)}")
    different = sum(bool(case.problems) for case in cases)
    print(f"{len(files)} payloads, {len(cases)} comparisons, {different} different")
    sys.exit(1 if different else 0)


if __name__ == "__main__":
    main()
