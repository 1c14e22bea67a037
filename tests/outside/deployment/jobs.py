"""Many at once: planned, run as a job to the last message, cancelled in the middle."""

from .pipeline import RECEIVER, content, failure

SIZE = 12
# With so much of it a payload has an item of the table for itself.
BLANK = " " * 9_000


def run(proof, stack, pipeline):
    """A plan, then the same set as a job, completed by the pipeline."""
    proof.begin("a job, with its plan")
    _fail(proof, stack, "bulk")
    order = {"reason": "the partner is up again", "selection": {"filter": {"message": "timeout"}}}
    plan = stack.call("POST", "/flows/bulk/retry?plan=true", order)
    proof.equal(f"the plan ({plan})", plan.status, 200)
    proof.holds("the plan", plan.json(), {"count": SIZE, "countIsExact": True})
    proof.equal("the sample", len(plan.json()["sample"]), 10)
    made = stack.call("POST", "/flows/bulk/retry", {**order, "asOf": plan.json()["asOf"]})
    proof.equal(f"POST a job ({made})", made.status, 202)
    path = made.headers["location"]
    for number in range(SIZE):
        message, reprise = pipeline.arrived(RECEIVER, f"bulk-{number}")
        proof.holds("the attribute", reprise, {"attempt": 2, "action": "retry", "trigger": "manual", "job": made.json()["id"]})
        proof.equal("the payload", content(message, reprise), f"<Order number='{number}'/>".encode())
        pipeline.report("completed", f"bulk-{number}", "bulk", 2)
    proof.wait_for("the job", lambda: stack.get(path), status="completed")
    counts = {"matched": SIZE, "sent": SIZE, "skipped": 0, "completed": SIZE, "failedAgain": 0}
    proof.wait_for("what became of it", lambda: stack.get(path), counts=counts)
    proof.equal("the jobs of the flow", [job["id"] for job in stack.ok("/flows/bulk/jobs")["items"]], [made.json()["id"]])
    proof.equal("the flow", stack.ok("/flows/bulk")["counts"]["completed"], SIZE)


def cancelled(proof, stack):
    """A slow job is cancelled: what was sent stays sent, the rest stays failed."""
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
    gone = stack.call("POST", "/flows/slow/delete", {"reason": "not needed", "selection": {"all": True}})
    proof.equal(f"POST a job that deletes ({gone})", gone.status, 202)
    proof.wait_for("the deletion", lambda: stack.get(gone.headers["location"]), status="completed")
    proof.equal("what was deleted", stack.ok("/flows/slow")["counts"]["deleted"], left)
    deleted = stack.ok("/flows/slow/interchanges?status=deleted&limit=1")["items"][0]["interchangeId"]
    gone = stack.call("GET", f"/interchanges/{deleted}/payloads/receiver")
    proof.equal(f"the payload of {deleted}", gone.status, 404)


def _fail(proof, stack, flow, more=""):
    """Failures in a flow that does nothing by itself, with `more` at the end of their payloads."""
    configured = stack.call("PUT", f"/flows/{flow}", {"retry": {"mode": "manual"}})
    proof.equal(f"PUT /flows/{flow} ({configured})", configured.status, 200)
    for number in range(SIZE):
        stack.report(failure(f"{flow}-{number}", flow, receiver=f"<Order number='{number}'/>{more}"))
    proof.wait(f"{SIZE} failures of {flow}", lambda: stack.ok(f"/flows/{flow}")["counts"]["failed"] == SIZE)
