"""What the functions wrote: one JSON object a line, and nothing of what a message or a caller must keep to themselves."""

import base64
import json

from . import intake, pipeline

# Of payloads, in any of their forms, of failure messages and of tokens.
SECRETS = {
    "a payload": [pipeline.EDIFACT[:24], "<Order", "<Timed", intake.DEAD_LETTER[:24], intake.RECORD["requestPayload"][:24]],
    "a payload in base64": [base64.b64encode(secret[:48]).decode() for secret in (pipeline.BYTES, intake.LARGE)],
    "a failure message": ["connect timeout to erp"],
    "a token": ["eyJ", "Bearer "],
}


def kept(proof, stack, tell_tale):
    """Every function that was used wrote something, and no line tells a secret."""
    proof.begin(f"the logs of {stack.name} keep quiet")
    groups = [group for group in stack.made["AWS::Logs::LogGroup"].values() if group.startswith("/aws/lambda/")]
    lines = [line for group in groups for line in _lines(stack, group)]
    for what, secrets in SECRETS.items():
        for secret in secrets:
            proof.equal(f"lines with {what}", [line for line in lines if secret in line or json.dumps(secret)[1:-1] in line][:1], [])
    proof.true(f"{tell_tale} is in one of {len(lines)} lines", any(tell_tale in line for line in lines))
    for line in lines:
        proof.true(f"{line[:200]} is a JSON object", _is_object(line))


def lines_with(stack, group, text):
    """The lines of one function's log, by the name of its log group in the template, that hold this text."""
    return [line for line in _lines(stack, stack.ids[group]) if text in line]


def _lines(stack, group):
    """What a function wrote, without what Lambda adds."""
    pages = stack.aws.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    found = [line for page in pages for event in page["events"] for line in event["message"].splitlines()]
    return [line for line in found if not line.startswith(("START ", "END ", "REPORT ", "INIT_START "))]


def _is_object(line):
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
