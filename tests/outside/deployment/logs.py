"""The logs of the functions: one JSON object per line, without payloads, failure messages and tokens."""

import base64
import json

from . import intake, pipeline

# Parts of payloads in every form, of failure messages and of tokens.
SECRETS = {
    "a payload": [pipeline.EDIFACT[:24], "<Order", "<Timed", intake.DEAD_LETTER[:24], intake.RECORD["requestPayload"][:24]],
    "a payload in base64": [base64.b64encode(secret[:48]).decode() for secret in (pipeline.BYTES, intake.LARGE)],
    "a failure message": ["connect timeout to erp"],
    "a token": ["eyJ", "Bearer "],
}


def kept(proof, stack, tell_tale):
    """The text `tell_tale` is in the logs, and no line contains a secret."""
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
    """The lines with this text in one function's log. `group` is the logical id of the log group."""
    return [line for line in _lines(stack, stack.ids[group]) if text in line]


def _lines(stack, group):
    """The lines that a function wrote, without those of Lambda itself."""
    pages = stack.aws.client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    found = [line for page in pages for event in page["events"] for line in event["message"].splitlines()]
    return [line for line in found if not line.startswith(("START ", "END ", "REPORT ", "INIT_START "))]


def _is_object(line):
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False
