"""Runs ministack and records each policy check: caller, action and resource.

It also makes ministack find the key of a PartiQL statement as AWS does: among the parts joined by AND, ignoring an OR next to it.
"""

import json
import os

from ministack.app import main
from ministack.core import iam_evaluator
from ministack.services import dynamodb

enforce = iam_evaluator.enforce
key_conditions = dynamodb._pq_conditions


def recorded(access_key_id, iam_action, service, region, resource_arn="*", **context):
    """As `enforce`, but writes a line to the file for each caller except the root of the account."""
    refused = enforce(access_key_id, iam_action, service, region, resource_arn=resource_arn, **context)
    if access_key_id and not iam_evaluator.is_root_access_key(access_key_id):
        caller = iam_evaluator.resolve_credential(access_key_id)
        line = {"caller": getattr(caller, "principal_arn", None), "action": iam_action, "resource": resource_arn, "refused": refused is not None}
        with open(os.environ["RECORD"], "a", encoding="utf-8") as record:
            record.write(json.dumps(line) + "\n")
    return refused


def without_or(condition):
    """The parts of a condition that are joined by AND; None when the condition is an OR."""
    if condition is None or condition[0] == "or":
        return None
    if condition[0] != "and":
        return condition
    left, right = without_or(condition[1]), without_or(condition[2])
    return ("and", left, right) if left and right else left or right


iam_evaluator.enforce = recorded
dynamodb._pq_conditions = lambda condition: key_conditions(without_or(condition))
main()
