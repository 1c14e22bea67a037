"""One trial for each chapter of infra/RUNBOOK.md that has commands: makes happen what the chapter is about, runs its blocks, and checks what came of it.
They follow one another on one stack, in the order of the page."""

import json

from runbook_stack import PROBES, until

SETTINGS = {"pk": {"S": "SETTINGS"}}
BY_HAND = {"retry": {"mode": "manual"}, "confirmation": {"mode": "silent", "within": "48h"}}


def equal(what, found, expected):
    if found != expected:
        raise SystemExit(f"{what}: {found!r} in place of {expected!r}")


def contains(what, text, *parts):
    for part in parts:
        if part not in text:
            raise SystemExit(f"{what}: {part!r} is not in\n{text}")


def failures_queue(page, stack):
    heading = "Of the failures queue"
    stack.reprise.ok("PUT", "/flows/orders", BY_HAND)
    stack.report("known", "orders", attempt=1)
    stack.has_status("known", "failed")
    before = stack.interchange("known")
    stack.fail(service="dynamodb", caller="reprise-ingest-failure")
    stack.report("known", "orders", attempt=1)
    stack.report("new", "orders", attempt=1)
    lost = stack.reprise.put("UNB+a message of a stage")
    stack.advance("90m")
    until("three messages are dead letters", lambda: stack.count("failures-dlq") == 3)
    stack.mend()

    contains("the dead letters", page.run(heading), "UNB+a message of a stage", f"dlq-{lost}: 404")
    # The local endpoint has moved them at once and lists no task.
    contains("the move", page.run(heading, 1), "TaskHandle", "\n0\n")
    stack.has_status("new", "failed")
    equal("what was known already", stack.interchange("known"), before)
    until("the message of a stage is kept", lambda: stack.reprise.listed("unassigned"))
    equal("dead letters after it", stack.count("failures-dlq"), 0)


def jobs_queue(page, stack):
    heading = "Of the jobs queue"
    stack.fail(service="sqs", keyPrefix="reprise-receiver-stage")
    order = {"reason": "the partner is back", "selection": {"all": True}}
    job = stack.reprise.ok("POST", "/flows/orders/retry", order)["id"]
    stack.advance("90m")
    equal("the job is stuck", stack.reprise.ok("GET", f"/jobs/{job}").get("stuck"), True)
    stack.mend()

    contains("the job", page.run(heading), job, '"stuck":true', "resume")
    until("the job is done", lambda: stack.reprise.ok("GET", f"/jobs/{job}")["status"] == "completed")
    for name, message in stack.take("receiver-stage", 2).items():
        stack.report(name, "orders", kind="completed", attempt=message["reprise"]["attempt"])
        stack.has_status(name, "completed")


def schedules(page, stack):
    heading = "Of schedules"
    ladder = {"kind": "ladder", "delays": ["5m"]}
    stack.reprise.ok("PUT", "/flows/timed", {**BY_HAND, "retry": {"schedule": ladder}})
    stack.report("timed", "timed")
    stack.has_status("timed", "failed")
    stack.fail(service="dynamodb", caller="reprise-scheduled-retry")
    stack.advance("12m")
    until("invocations are dead letters", lambda: stack.count("schedules-dlq"))
    stack.mend()

    contains("the dead letters", page.run(heading), "sweep")
    equal("dead letters after it", stack.count("schedules-dlq"), 0)
    stack.advance("5m")
    equal("the retry", list(stack.take("receiver-stage", 1)), ["timed"])


def stages(page, stack):
    heading = "Of the stack's own stages"
    stack.report("given-up", "orders")
    stack.has_status("given-up", "failed")
    stack.reprise.ok("POST", "/interchanges/given-up/retry", {"reason": "again"})
    url = stack.queue("receiver-stage")
    for _ in range(4):
        stack.reprise.sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)
    equal("given up", stack.count("receiver-stage-dlq"), 1)

    contains("the dead letters", page.run(heading), "given-up", "\n0\n")
    message = stack.take("receiver-stage", 1)["given-up"]
    equal("its attempt", message["reprise"]["attempt"], 2)
    stack.report("given-up", "orders", kind="completed", attempt=2)
    stack.has_status("given-up", "completed")


def refused_work(page, stack):
    heading = "Refused work"
    body = json.dumps({"kind": "look", "job": "nobody"})
    message = stack.reprise.put(body, queue=stack.queue("jobs"))
    until("it is refused", lambda: stack.count("refused-work") == 1)
    contains("refused work", page.run(heading), "nobody", "it is not signed", message)
    equal("refused work after it", page.run(heading, 1), "0\n")


def new_key(page, stack):
    heading = "A new key for signed work"
    for number in range(3):
        stack.report(f"key-{number}", "orders")
        stack.has_status(f"key-{number}", "failed")
    stack.fail(service="dynamodb", caller="reprise-run-job")
    job = stack.reprise.ok("POST", "/flows/orders/retry", {"reason": "again", "selection": {"all": True}})["id"]
    key = {**SETTINGS, "sk": {"S": "WORK-KEY"}}
    before = stack.table.get_item(TableName="reprise", Key=key)["Item"]
    page.run(heading)
    page.run(heading, 1)

    forged = stack.reprise.put(json.dumps({"kind": "look", "job": job}), queue=stack.queue("jobs"))
    until("unsigned work is refused from the first moment", lambda: stack.count("refused-work"))
    stack.advance("20m")
    until("the job is done", lambda: stack.reprise.ok("GET", f"/jobs/{job}")["status"] == "completed")
    equal("each was sent once", sorted(stack.take("receiver-stage", 3)), ["key-0", "key-1", "key-2"])
    after = stack.table.get_item(TableName="reprise", Key=key)["Item"]
    equal("the key is another one", (after["b"] != before["b"], after["signedFrom"]), (True, before["signedFrom"]))
    contains("refused work", page.run("Refused work"), forged, "its signature is wrong")
    equal("refused work after it", page.run("Refused work", 1), "0\n")


def restore(page, stack):
    heading = "Restore"
    sqs = stack.reprise.sqs
    fifo = sqs.create_queue(QueueName="ordered.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
    stack.reprise.ok("PUT", "/flows/ordered", {**BY_HAND, "stages": {"receiver": {"queueUrl": fifo}}})
    stack.report("restored", "orders")
    stack.report("in-order", "ordered")
    stack.has_status("restored", "failed")
    stack.has_status("in-order", "failed")
    stack.keep()
    lost = sent_again(stack)

    page.run(heading)
    page.run(heading, 1)
    epoch = int(page.run(heading, 2).splitlines()[-1])
    page.run(heading, 3)
    again = sent_again(stack)
    equal("keys before the restore", lost, (("restored", 2, 1), "in-order#2"))
    equal("keys after it", again, (("restored", 2, epoch), f"in-order#2#{epoch}"))

    # What is still heard of the lost attempt is in the log and decides nothing.
    stack.report("restored", "orders", kind="completed", attempt=2, epoch=1)
    until("it is logged", lambda: "late_outcome" in stack.kinds("restored"))
    equal("the lost attempt's outcome", stack.interchange("restored")["status"], "waiting_for_retry")
    stack.report("restored", "orders", kind="completed", attempt=2, epoch=epoch)
    stack.has_status("restored", "completed")


def sent_again(stack):
    """Sends both messages by hand, and gives the keys by which their consumers drop repeats."""
    for name in ("restored", "in-order"):
        stack.reprise.ok("POST", f"/interchanges/{name}/retry", {"reason": "again"})
    reprise = stack.take("receiver-stage", 1)["restored"]["reprise"]
    ordered = stack.take("ordered.fifo", 1)["in-order"]
    return ("restored", reprise["attempt"], reprise["epoch"]), ordered["Attributes"]["MessageDeduplicationId"]


def upgrade(page, stack):
    heading = "Upgrade, roll back"
    stack.reprise.ok("PUT", f"/flows/{PROBES}", BY_HAND)
    for turn in ("to the release before", "to this release"):
        names = [f"{turn.split()[-1]}-{number}" for number in range(20)]
        for name in names:
            stack.report(name, "orders")
        for name in names:
            stack.has_status(name, "failed")
        order = {"reason": "again", "selection": {"ids": names}, "rate": 5}
        job = stack.reprise.ok("POST", "/flows/orders/retry", order)["id"]
        page.run(heading, RELEASE=turn)
        stack.advance("10m")
        until("the job is done", lambda: stack.reprise.ok("GET", f"/jobs/{job}")["status"] == "completed")
        # A process that is ended while it sends may leave a message to be sent again, with the same attempt.
        sent = stack.take("receiver-stage", len(names), may_repeat=True)
        equal(f"what was sent {turn}", {name: message["reprise"]["attempt"] for name, message in sent.items()}, dict.fromkeys(names, 2))
        contains(f"all is well {turn}", page.run(heading, 1), "failures-dlq: 0", "jobs-dlq: 0", "schedules-dlq: 0", "refused-work: 0", "[]")


TRIALS = {
    "Of the failures queue": failures_queue,
    "Of the jobs queue": jobs_queue,
    "Of schedules": schedules,
    "Of the stack's own stages": stages,
    "Refused work": refused_work,
    "A new key for signed work": new_key,
    "Restore": restore,
    "Upgrade, roll back": upgrade,
}
