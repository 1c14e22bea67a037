"""The pipeline: reports failures and outcomes, and receives messages from its stage queues."""

import base64
import random

SENDER, RECEIVER = "SenderStageQueueUrl", "ReceiverStageQueueUrl"
# Not text, so it is sent as base64 in both directions.
BYTES = bytes(range(256)) + random.Random(17).randbytes(2048)
EDIFACT = "UNB+UNOC:3+ACME+GLOBEX+261120:1400+7'UNH+1+ORDERS:D:96A:UN'FTX+AAI+++Grüße 東京'UNT+3+1'"


class Pipeline:
    """Stores received messages until they are requested, as several flows share a stage queue."""

    def __init__(self, proof, stack):
        self._proof, self._stack, self._taken = proof, stack, {}

    def arrived(self, queue, interchange_id, within=30):
        """Waits for the message of an interchange. Returns the message and its `reprise` attribute."""
        def look():
            for found, message in self._stack.take(queue).items():
                self._taken.setdefault((queue, found), []).append(message)
            return self._taken.get((queue, interchange_id))

        return self._proof.wait(f"the message of {interchange_id} on {queue}", look, within).pop(0)

    def report(self, what, interchange_id, flow, attempt, **fields):
        report = {"type": f"interchange.{what}", "interchangeId": interchange_id, "flow": flow, "attempt": attempt}
        self._stack.report({**report, **fields})


def failure(interchange_id, flow, sender=EDIFACT, receiver=BYTES, **fields):
    """The report of a first failure, with both payloads."""
    return {
        "type": "interchange.failed", "interchangeId": interchange_id, "flow": flow, "attempt": 1,
        "origin": "Step 3 - receiver communication", "sender": "ACME", "receiver": "GLOBEX", "sourceId": f"PO-{interchange_id}",
        "error": {"category": "system", "code": "ETIMEDOUT", "message": "connect timeout to erp.globex.example:443"},
        "payloads": {"sender": payload(sender, "application/edifact"), "receiver": payload(receiver, "application/octet-stream")},
        **fields,
    }


def payload(content, content_type):
    if isinstance(content, str):
        return {"body": content, "contentType": content_type}
    return {"body": base64.b64encode(content).decode(), "encoding": "base64", "contentType": content_type}


def content(message, reprise):
    """The payload of a stage message."""
    return base64.b64decode(message["Body"]) if reprise.get("encoding") == "base64" else message["Body"].encode()
