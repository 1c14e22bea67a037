"""Manual retry, restart and delete: the pipeline receives the exact bytes and reports outcomes, and the event log shows everything."""

from .intake import DEAD_LETTER
from .pipeline import BYTES, RECEIVER, SENDER, content


def retried(proof, stack, pipeline, interchange_id):
    """A retry reaches the receiver stage and is completed by the pipeline's report."""
    proof.begin("a retry by hand")
    answer = stack.call("POST", f"/interchanges/{interchange_id}/retry", {"reason": "the partner is up again"})
    proof.equal(f"POST retry ({answer})", answer.status, 200)
    proof.holds("what it answers", answer.json(), {"status": "waiting_for_retry", "attempt": 2})
    message, reprise = pipeline.arrived(RECEIVER, interchange_id)
    proof.holds("the attribute", reprise, {"flow": "orders", "attempt": 2, "action": "retry", "trigger": "manual", "encoding": "base64"})
    proof.equal("the payload", content(message, reprise), BYTES)
    pipeline.report("in_network", interchange_id, "orders", 2)
    pipeline.report("completed", interchange_id, "orders", 2)
    told = proof.wait_for("the outcome", lambda: stack.interchange(interchange_id), status="completed", attempt=2)
    kinds = [event["kind"] for event in told["events"]]
    # Both reports may arrive in one batch, in either order. After the completion, `in_network` is a late outcome.
    proof.equal("the event log", [kind for kind in kinds if kind not in ("in_network", "late_outcome")],
                ["failed", "retry_scheduled", "retry_requested", "completed"])
    asked = next(event for event in told["events"] if event["kind"] == "retry_requested")
    proof.equal("the reason in it", asked["reason"], "the partner is up again")
    proof.true(f"the actor {asked['actor']} is who signed", asked["actor"].endswith(f":user/{stack.name}-operator"))
    again = stack.call("POST", f"/interchanges/{interchange_id}/retry", {"reason": "once more"})
    proof.equal(f"a second retry ({again})", (again.status, again.json()["type"]), (409, "urn:reprise:problem:not-failed"))


def restarted(proof, stack, pipeline, interchange_id):
    """A restart of a dead letter reaches the sender stage with its attributes. Then the pipeline reports that it failed again."""
    proof.begin("a restart by hand")
    plan = stack.call("POST", "/flows/unassigned/restart?plan=true", {"reason": "the mapping is corrected", "selection": {"all": True}})
    proof.equal(f"the plan of a restart ({plan})", (plan.status, plan.json()["count"]), (200, 2))
    answer = stack.call("POST", f"/interchanges/{interchange_id}/restart", {"reason": "the mapping is corrected"})
    proof.equal(f"POST restart ({answer})", answer.status, 200)
    message, reprise = pipeline.arrived(SENDER, interchange_id)
    proof.holds("the attribute", reprise, {"attempt": 2, "action": "restart", "trigger": "manual"})
    proof.equal("the payload", content(message, reprise), DEAD_LETTER.encode())
    proof.equal("the attribute it came with", message["MessageAttributes"]["tenant"]["StringValue"], "acme")
    pipeline.report("failed", interchange_id, "unassigned", 2, error={"category": "mapping", "message": "still no rule"})
    told = proof.wait_for("the failure", lambda: stack.interchange(interchange_id), status="failed", attempt=2, tries=1)
    proof.equal("the event log", [event["kind"] for event in told["events"]],
                ["failed", "restart_requested", "failed"])


def deleted(proof, stack, interchange_id):
    """A deleted interchange keeps its event log and loses its payloads."""
    proof.begin("a delete by hand")
    answer = stack.call("POST", f"/interchanges/{interchange_id}/delete", {"reason": "sent twice"})
    proof.equal(f"POST delete ({answer})", answer.status, 200)
    proof.equal("its status", stack.ok(f"/interchanges/{interchange_id}")["status"], "deleted")
    gone = stack.call("GET", f"/interchanges/{interchange_id}/payloads/sender")
    proof.equal("its payload", gone.status, 404)
    # The writes that follow a delete are repeated on a second request, as the first one may have been interrupted.
    again = stack.call("POST", f"/interchanges/{interchange_id}/delete", {"reason": "sent twice"})
    proof.equal(f"a second delete ({again})", (again.status, again.json()["type"]), (409, "urn:reprise:problem:not-failed"))
