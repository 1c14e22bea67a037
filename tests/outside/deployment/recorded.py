"""Runs ministack, and writes down each call that a policy was asked about: who, which action, on what."""

import json
import os

from ministack.app import main
from ministack.core import iam_evaluator

enforce = iam_evaluator.enforce


def recorded(access_key_id, iam_action, service, region, resource_arn="*", **context):
    """`enforce`, with a line in the file for everybody but the root of the account."""
    refused = enforce(access_key_id, iam_action, service, region, resource_arn=resource_arn, **context)
    if access_key_id and not iam_evaluator.is_root_access_key(access_key_id):
        caller = iam_evaluator.resolve_credential(access_key_id)
        line = {"caller": getattr(caller, "principal_arn", None), "action": iam_action, "resource": resource_arn, "refused": refused is not None}
        with open(os.environ["RECORD"], "a", encoding="utf-8") as record:
            record.write(json.dumps(line) + "\n")
    return refused


iam_evaluator.enforce = recorded
main()
