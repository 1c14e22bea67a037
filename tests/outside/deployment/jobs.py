"""Jobs: a plan, a canary, a stuck job that is resumed and completed, and a job that is cancelled while it runs."""

import base64
import datetime
import hmac
import json

from . import logs
from .pipeline import RECEIVER, content, failure

SIZE = 12
FIRST = 2  # the canary: the rest is sent after these have completed
# Makes a payload so large that it is stored in an item of its own.
BLANK = " " * 9_000


def run(proof, stack, pipeline):
    """A plan, then a job over the same selection with a canary, which is stuck, resumed, and completed by the pipeline."""
    proof.begin("a job, with its plan")
    _fail(proof, stack, "bulk")
    order = {"reason": "the partner is up again", "selection": {"filter": {"message": "timeout"}}}
    plan = stack.call("POST", "/flows/bulk/retry?plan=true", order)
    proof.equal(f"the plan ({plan})", plan.status, 200)
    proof.holds("the plan", plan.json(), {"count": SIZE, "countIsExact": True})
    proof.equal("the sample", len(plan.json()["sample"]), 10)
    made = stack.call("POST", "/flows/bulk/retry", {**order, "canary": FIRST, "asOf": plan.json()["asOf"]})
    proof.equal(f"POST a job ({made})", made.status, 202)
    path, job = made.headers["location"], made.json()["id"]
    for number in range(FIRST):
        _arrived(proof, pipeline, job, number)
    _resumed(proof, stack, path, job)
    proof.begin("a job goes on when its first messages have gone through")
    for number in range(FIRST):
        pipeline.report("completed", f"bulk-{number}", "bulk", 2)
    for number in range(FIRST, SIZE):
        _arrived(proof, pipeline, job, number)
        pipeline.report("completed", f"bulk-{number}", "bulk", 2)
    proof.wait_for("the job", lambda: stack.get(path), status="completed")
    counts = {"matched": SIZE, "sent": SIZE, "skipped": 0, "completed": SIZE, "failedAgain": 0}
    proof.wait_for("what became of it", lambda: stack.get(path), counts=counts)
    proof.equal("the jobs of the flow", [found["id"] for found in stack.ok("/flows/bulk/jobs")["items"]], [job])
    proof.equal("the flow", stack.ok("/flows/bulk")["counts"]["completed"], SIZE)
    ended = stack.call("POST", f"{path}/resume")
    proof.equal(f"POST resume of a job that has ended ({ended})", (ended.status, ended.json()["type"]), (409, "urn:reprise:problem:job-ended"))


def comes_again(proof, stack):
    """A work item that fails is delivered again soon, before its visibility timeout of several minutes is over."""
    proof.begin("what cannot be done comes again soon")
    # DynamoDB refuses a key of this length.
    sent = _put_work(stack, stack.outputs["JobsQueueUrl"], {"kind": "send", "interchange": "bulk-0", "request": "r" * 3_000})
    proof.wait("a second try", lambda: len(logs.lines_with(stack, "RunJobLogs", sent)) > 1)


def refused(proof, stack):
    """Work items that Reprise did not sign are moved to a separate queue and not done."""
    proof.begin("work that is not signed is refused")
    sent = stack.sqs.send_message(QueueUrl=stack.outputs["JobsQueueUrl"], MessageBody="neither JSON nor work")["MessageId"]
    forged = {"mac": {"DataType": "String", "StringValue": "AAAA"}}
    body = json.dumps({"kind": "look", "job": "of-another-flow"})
    wrong = stack.sqs.send_message(QueueUrl=stack.outputs["JobsQueueUrl"], MessageBody=body, MessageAttributes=forged)["MessageId"]
    kept = {}

    def both():
        answer = stack.sqs.receive_message(
            QueueUrl=stack.outputs["RefusedWorkQueueUrl"], MessageAttributeNames=["All"], MaxNumberOfMessages=10)
        for message in answer.get("Messages", []):
            told = {name: value["StringValue"] for name, value in message["MessageAttributes"].items()}
            kept[told["messageId"]] = (message["Body"], told["reason"])
        return sent in kept and wrong in kept

    proof.wait("both on the queue of refused work", both)
    proof.equal("the first", kept[sent], ("neither JSON nor work", "it is no work item"))
    proof.equal("the second", kept[wrong], (body, "its signature is wrong"))


def cancelled(proof, stack):
    """A slow job is cancelled: sent messages stay sent, the rest stays failed and is deleted by another job."""
    proof.begin("a job is cancelled")
    _fail(proof, stack, "slow", BLANK)
    made = stack.call("POST", "/flows/slow/retry", {"reason": "slowly", "selection": {"all": True}, "rate": 1})
    proof.equal(f"POST a job ({made})", made.status, 202)
    path = made.headers["location"]
    again = stack.call("POST", "/flows/slow/retry", {"reason": "twice", "selection": {"all": True}})
    proof.equal(f"a second one ({again})", (again.status, again.json()["type"]), (409, "urn:reprise:problem:job-active"))
    proof.wait("the first message of the job", lambda: stack.ok(path)["counts"]["sent"])
    proof.equal("POST cancel", stack.call("POST", f"{path}/cancel").status, 200)
    ended = proof.wait_for("the job", lambda: stack.get(path), status="cancelled")
    proof.true(f"it was cancelled in the middle: {ended['counts']}", 0 < ended["counts"]["sent"] < SIZE)
    left = SIZE - ended["counts"]["sent"]
    proof.equal("what is left", stack.ok("/flows/slow")["counts"]["failed"], left)
    named = {"ids": [f"slow-{number}" for number in range(SIZE)]}
    planned = stack.call("POST", "/flows/slow/delete?plan=true", {"reason": "not needed", "selection": named})
    proof.equal(f"the plan of a delete ({planned})", (planned.status, planned.json()["count"]), (200, SIZE))
    gone = stack.call("POST", "/flows/slow/delete", {"reason": "not needed", "selection": {"all": True}})
    proof.equal(f"POST a job that deletes ({gone})", gone.status, 202)
    proof.wait_for("the deletion", lambda: stack.get(gone.headers["location"]), status="completed")
    proof.equal("what was deleted", stack.ok("/flows/slow")["counts"]["deleted"], left)
    deleted = stack.ok("/flows/slow/interchanges?status=deleted&limit=1")["items"][0]["interchangeId"]
    gone = stack.call("GET", f"/interchanges/{deleted}/payloads/receiver")
    proof.equal(f"the payload of {deleted}", gone.status, 404)


def _arrived(proof, pipeline, job, number):
    """One message of the job is on its stage, with its payload."""
    message, reprise = pipeline.arrived(RECEIVER, f"bulk-{number}")
    proof.holds("the attribute", reprise, {"attempt": 2, "action": "retry", "trigger": "manual", "job": job})
    proof.equal("the payload", content(message, reprise), f"<Order number='{number}'/>".encode())


def _resumed(proof, stack, path, job):
    """A work item in the dead-letter queue is set aside: the job is stuck until it is resumed."""
    proof.begin("work is set aside and resumed")
    proof.wait_for("the job", lambda: stack.get(path), status="canary", stuck=None)
    letters = stack.ids["JobsDeadLetterQueue"]
    _put_work(stack, letters, {"kind": "look", "job": job})
    told = proof.wait_for("the job", lambda: stack.get(path), status="canary", stuck=True)
    proof.true("it says why", told.get("halt"))
    resumed = stack.call("POST", f"{path}/resume")
    proof.equal(f"POST resume ({resumed})", resumed.status, 200)
    proof.holds("the job", resumed.json(), {"status": "canary", "stuck": None, "halt": None})


def _put_work(stack, url, item):
    """Sends a work item to a queue, signed with the stack's key as Reprise does. Returns the message id."""
    at = {"pk": {"S": "SETTINGS"}, "sk": {"S": "WORK-KEY"}}
    stored = stack.aws.client("dynamodb").get_item(TableName=stack.outputs["TableName"], Key=at)["Item"]
    body = json.dumps(item)
    mac = hmac.digest(stored["b"]["B"], b"reprise work item\0" + body.encode(), "sha256")
    signature = base64.urlsafe_b64encode(mac).decode().rstrip("=")
    attributes = {"mac": {"DataType": "String", "StringValue": signature}}
    return stack.sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)["MessageId"]


def _fail(proof, stack, flow, more=""):
    """Reports failures in a flow with manual retries, a second apart, with `more` at the end of their payloads."""
    configured = stack.call("PUT", f"/flows/{flow}", {"retry": {"mode": "manual"}})
    proof.equal(f"PUT /flows/{flow} ({configured})", configured.status, 200)
    now = datetime.datetime.now(datetime.timezone.utc)
    for number in range(SIZE):
        at = (now - datetime.timedelta(seconds=SIZE - number)).isoformat()
        stack.report(failure(f"{flow}-{number}", flow, receiver=f"<Order number='{number}'/>{more}", occurredAt=at))
    proof.wait(f"{SIZE} failures of {flow}", lambda: stack.ok(f"/flows/{flow}")["counts"]["failed"] == SIZE)
