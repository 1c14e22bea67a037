"""Automatic work: a schedule fires and the message is sent, and sweeps run."""

from . import logs
from .pipeline import RECEIVER, content, failure

COUNT = 3
# A delay of one minute, rounded up to a full minute, plus the ten seconds between two polls of ministack, plus a margin.
WITHIN = 180


def prepare(proof, stack):
    """Reports failures whose retries fall due in one or two minutes."""
    proof.begin("failures of a flow that retries by itself")
    configured = stack.call("PUT", "/flows/timed", {"retry": {"schedule": {"kind": "ladder", "delays": ["1m", "1h"]}}})
    proof.equal(f"PUT /flows/timed ({configured})", configured.status, 200)
    for number in range(COUNT):
        stack.report(failure(f"timed-{number}", "timed", receiver=f"<Timed number='{number}'/>"))
    for number in range(COUNT):
        told = proof.wait_for("the failure", lambda number=number: stack.interchange(f"timed-{number}"), status="failed")
        proof.true("its next retry is known", told.get("nextRetryAt"))


def fired(proof, stack, pipeline):
    """The scheduler sent each message. One fails again and waits for its next retry, the others complete."""
    proof.begin("the schedule fires")
    for number in range(COUNT):
        message, reprise = pipeline.arrived(RECEIVER, f"timed-{number}", WITHIN)
        proof.holds("the attribute", reprise, {"flow": "timed", "attempt": 2, "action": "retry", "trigger": "scheduled"})
        proof.equal("the payload", content(message, reprise), f"<Timed number='{number}'/>".encode())
        pipeline.report("completed" if number else "failed", f"timed-{number}", "timed", 2)
    for number in range(1, COUNT):
        told = proof.wait_for("the outcome", lambda number=number: stack.interchange(f"timed-{number}"), status="completed")
        proof.equal("the event log", [event["kind"] for event in told["events"]],
                    ["failed", "retry_scheduled", "retry_requested", "completed"])
        proof.equal("who asked", told["events"][2]["actor"], "scheduler")
    again = proof.wait_for("the failure", lambda: stack.interchange("timed-0"), status="failed", attempt=2)
    proof.equal("its event log", [event["kind"] for event in again["events"]],
                ["failed", "retry_scheduled", "retry_requested", "failed", "retry_scheduled"])
    proof.true("its next retry is known", again.get("nextRetryAt"))


def swept(proof, stack):
    """The sweep of slots has run, by its schedule every minute."""
    proof.begin("the sweep runs")
    proof.wait("a sweep of slots in the log", lambda: logs.lines_with(stack, "ScheduledRetryLogs", '"swept"'), WITHIN)
