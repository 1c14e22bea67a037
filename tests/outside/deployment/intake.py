"""Failures of every form are sent to the failures queue, and are listed, filtered, grouped and shown unchanged."""

import json
import random
import urllib.parse

from .pipeline import BYTES, EDIFACT, failure

DEAD_LETTER = "UNA:+.? 'UNB+UNOC:3+ACME+GLOBEX+261120:1401+8'\tŁoś"
# Larger than one item of the table, and not compressible.
LARGE = random.Random(23).randbytes(600_000)
RECORD = {
    "version": "1.0", "timestamp": "2026-11-20T14:00:00.000Z",
    "requestContext": {"requestId": "f-1", "functionArn": "arn:aws:lambda:eu-west-1:000000000000:function:mapping:$LATEST",
                       "condition": "RetriesExhausted", "approximateInvokeCount": 3},
    "requestPayload": "UNB+UNOC:3+ACME+GLOBEX+261120:1402+9'",
    "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
    "responsePayload": {"errorMessage": "no rule for segment FTX", "errorType": "MappingError"},
}


def configure(proof, stack):
    """Configures the flow `orders`, and creates a stage of a pipeline with our failures queue as its dead-letter queue."""
    proof.begin("configure a flow")
    policy = json.dumps({"deadLetterTargetArn": stack.outputs["FailuresQueueArn"], "maxReceiveCount": 1})
    stage = stack.sqs.create_queue(QueueName=f"{stack.name}-mapping", Attributes={"RedrivePolicy": policy})["QueueUrl"]
    inactive = {"active": False, "deadLetterQueues": [{"arn": stack.arn_of(stage), "phase": "processing"}]}
    for path in ("/flows/orders?plan=true", "/flows/orders"):
        answer = stack.call("PUT", path, inactive)
        proof.equal(f"PUT {path}, inactive ({answer})", answer.status, 200)
    answer = stack.call("PUT", "/flows/orders", {
        "displayName": "Orders", "functions": ["arn:aws:lambda:eu-west-1:000000000000:function:mapping"],
        # No retry of it falls due while the proof runs.
        "retry": {"schedule": {"kind": "ladder", "delays": ["1h"]}},
    })
    proof.equal(f"PUT /flows/orders ({answer})", answer.status, 200)
    proof.equal("the name that was stored", stack.ok("/flows/orders")["displayName"], "Orders")
    # Dead letters stay in this flow, as ministack does not provide the queue they came from.
    stages = {"sender": {"queueUrl": stack.outputs["SenderStageQueueUrl"]}}
    answer = stack.call("PUT", "/flows/unassigned", {"stages": stages, "retry": {"mode": "manual"}})
    proof.equal(f"PUT /flows/unassigned ({answer})", answer.status, 200)
    return stage


def send(proof, stack, stage):
    """Sends two reports, a dead letter by a redrive, a failure record of Lambda and an invalid report. Returns their ids."""
    proof.begin("failures go in")
    stack.report(failure("o-1", "orders"))
    stack.report(failure("o-2", "orders", sender=LARGE, receiver="<Order/>", error={"category": "mapping", "message": "no rule"}))
    tenant = {"tenant": {"DataType": "String", "StringValue": "acme"}}
    sent = stack.sqs.send_message(QueueUrl=stage, MessageBody=DEAD_LETTER, MessageAttributes=tenant)
    # It was received once and not deleted, so the next receive moves it to the dead-letter queue.
    stack.sqs.receive_message(QueueUrl=stage, VisibilityTimeout=0)
    proof.wait("the redrive of the mapping stage", lambda: not stack.sqs.receive_message(QueueUrl=stage).get("Messages"))
    stack.report(RECORD)
    broken = stack.report({"type": "interchange.failed", "interchangeId": "o-3"})
    return ["o-1", "o-2", f"dlq-{sent['MessageId']}", "lambda-f-1", f"dlq-{broken}"]


def shown(proof, stack, ids):
    """Each failure is stored in its flow, with its bytes."""
    proof.begin("failures are shown")
    report, other, dead_letter, record, broken = ids
    for found, flow, phase in ((report, "orders", "delivery"), (other, "orders", "delivery"), (dead_letter, "unassigned", "processing"),
                               (record, "orders", "processing"), (broken, "unassigned", "processing")):
        proof.wait_for(found, lambda found=found: stack.interchange(found), status="failed", flow=flow, phase=phase, attempt=1)
    for found, side, expected in ((report, "sender", EDIFACT.encode()), (report, "receiver", BYTES), (other, "sender", LARGE),
                                  (other, "receiver", b"<Order/>"), (dead_letter, "sender", DEAD_LETTER.encode()),
                                  (record, "sender", RECORD["requestPayload"].encode())):
        answer = stack.call("GET", f"/interchanges/{found}/payloads/{side}")
        proof.equal(f"status of the {side} payload of {found}", answer.status, 200)
        proof.equal(f"{side} payload of {found}", answer.body, expected)
    answer = stack.call("GET", f"/interchanges/{report}/payloads/sender")
    proof.equal("its content type", answer.headers["content-type"], "application/edifact")
    proof.equal("what Lambda's record says", stack.ok(f"/interchanges/{record}")["error"]["message"], "no rule for segment FTX")


def listed(proof, stack, ids):
    """The list of a flow, its filters, its pages, its groups and its counts."""
    proof.begin("failures are listed and filtered")
    report, other, dead_letter, record, broken = ids

    def found(**query):
        query = urllib.parse.urlencode(query, quote_via=urllib.parse.quote)
        return {item["interchangeId"] for item in stack.ok(f"/flows/orders/interchanges?{query}")["items"]}

    proof.comes_to("the list", found, {report, other, record})
    proof.comes_to("by message", lambda: found(message="TIMEOUT to erp"), {report})
    proof.comes_to("by phase", lambda: found(phase="processing"), {record})
    proof.comes_to("by category", lambda: found(category="mapping"), {other})
    proof.comes_to("by source id", lambda: found(sourceId="PO-o-2"), {other})
    proof.comes_to("by sender", lambda: found(sender="ACME"), {report, other})
    proof.comes_to("by status", lambda: found(status="completed"), set())
    proof.comes_to("pages of two", lambda: pages(stack), [2, 1])
    groups = stack.ok("/flows/orders/groups")["items"]
    proof.equal("failures in groups", sum(group["count"] for group in groups), 3)
    flows = {flow["flow"]: flow["counts"] for flow in stack.ok("/flows")["items"]}
    proof.equal("counts of orders", flows["orders"]["failed"], 3)
    proof.equal("counts of unassigned", flows["unassigned"]["failed"], 2)


def pages(stack):
    """How many interchanges each page of the flow has."""
    sizes, cursor = [], ""
    while cursor is not None:
        page = stack.ok(f"/flows/orders/interchanges?limit=2{cursor}")
        sizes.append(len(page["items"]))
        cursor = f"&cursor={page['cursor']}" if "cursor" in page else None
    return sizes


def slot(proof, stack, interchange_id):
    """The next retry is a schedule in the stack's group that may start scheduled-retry."""
    proof.begin("the next retry is scheduled")
    scheduler = stack.aws.client("scheduler")
    due = stack.ok(f"/interchanges/{interchange_id}")["nextRetryAt"]
    name = due.replace("-", "").replace(":", "")[:13] + "-orders"
    found = proof.wait(f"schedule {name}", lambda: _schedule(scheduler, stack.name, name))
    proof.holds("the schedule", found, {
        "ScheduleExpression": f"at({due[:19]})", "ScheduleExpressionTimezone": "UTC", "ActionAfterCompletion": "DELETE",
        "FlexibleTimeWindow": {"Mode": "OFF"}, "GroupName": stack.ids["ScheduleGroup"].rsplit("/", 1)[-1],
    })
    functions = stack.aws.client("lambda")
    target = functions.get_function(FunctionName=f"{stack.name}-scheduled-retry")["Configuration"]["FunctionArn"]
    role = stack.iam.get_role(RoleName=stack.ids["ScheduleRole"])["Role"]["Arn"]
    letters = stack.arn_of(stack.ids["SchedulesDeadLetterQueue"])
    proof.equal("what it starts", found["Target"]["Arn"], target)
    proof.equal("the role it takes", found["Target"]["RoleArn"], role)
    proof.equal("its dead-letter queue", found["Target"]["DeadLetterConfig"], {"Arn": letters})


def _schedule(scheduler, group, name):
    try:
        return scheduler.get_schedule(GroupName=group, Name=name)
    except scheduler.exceptions.ResourceNotFoundException:
        return None
