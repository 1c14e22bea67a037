"""Runs ministack, and writes down each call that a policy was asked about: who, which action, on what.

It also has ministack find the key of a PartiQL statement as AWS does: among all that must hold, whatever an OR beside it says.
"""

import json
import os

from ministack.app import main
from ministack.core import iam_evaluator
from ministack.services import dynamodb

enforce = iam_evaluator.enforce
key_conditions = dynamodb._pq_conditions


def recorded(access_key_id, iam_action, service, region, resource_arn="*", **context):
    """`enforce`, with a line in the file for everybody but the root of the account."""
    refused = enforce(access_key_id, iam_action, service, region, resource_arn=resource_arn, **context)
    if access_key_id and not iam_evaluator.is_root_access_key(access_key_id):
        caller = iam_evaluator.resolve_credential(access_key_id)
        line = {"caller": getattr(caller, "principal_arn", None), "action": iam_action, "resource": resource_arn, "refused": refused is not None}
        with open(os.environ["RECORD"], "a", encoding="utf-8") as record:
            record.write(json.dumps(line) + "\n")
    return refused


def without_or(condition):
    """What of a condition must hold in any case; nothing where all of it is an OR."""
    if condition is None or condition[0] == "or":
        return None
    if condition[0] != "and":
        return condition
    left, right = without_or(condition[1]), without_or(condition[2])
    return ("and", left, right) if left and right else left or right


iam_evaluator.enforce = recorded
dynamodb._pq_conditions = lambda condition: key_conditions(without_or(condition))
main()
