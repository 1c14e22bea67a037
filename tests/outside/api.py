#!/usr/bin/env python3
"""Tests the HTTP API against its description: schemathesis generates valid and invalid requests from infra/openapi.yaml, and
every response must match the document.

    cargo local -- --no-demo
    python tests/outside/api.py --http http://127.0.0.1:3000 --aws http://127.0.0.1:4566 [--examples 15] [--seed 1]

The script first creates data over the AWS endpoint, so that requests find existing resources. The requests depend only on the
seed. A finding ends the script with an error and a curl command that reproduces it.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.request

import boto3

# Writes no cache files next to the sources.
sys.dont_write_bytecode = True
import api_hooks  # noqa: E402

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "infra" / "openapi.yaml"

# Checks that are not used, with the reason:
#   positive_data_acceptance      a request that matches the schema may still be refused: a duration out of its range, an
#                                 interchange that is not failed, a flow whose job is active
#   unsupported_method            for a method that a path does not have, API Gateway returns 404, but the check expects 405
#   allow_header_conformance      the same
#   missing_required_header       no header is required
#   ignored_auth                  nothing is signed here; access control is tested in a stack with an issuer
#   object_level_authorization    the same
#   use_after_free                after a delete the interchange stays readable, with its log
#   ensure_resource_availability  a job or an interchange may have changed in the meantime
CHECKS = ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
          "response_schema_conformance", "negative_data_rejection"]


def fill(http, aws):
    """Creates failures in every state, flows with different configurations, and jobs. Returns the ids of the jobs."""
    sqs = boto3.client("sqs", endpoint_url=aws, region_name="eu-west-1", aws_access_key_id="any", aws_secret_access_key="any")
    queue = f"{aws}/000000000000/reprise-failures"

    def call(method, path, body):
        request = urllib.request.Request(http + path, method=method, data=json.dumps(body).encode())
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def send(reports):
        for start in range(0, len(reports), 10):
            entries = [{"Id": str(i), "MessageBody": json.dumps(r)} for i, r in enumerate(reports[start:start + 10])]
            assert not sqs.send_message_batch(QueueUrl=queue, Entries=entries).get("Failed")

    def report(name, flow, **more):
        return {"type": "interchange.failed", "interchangeId": name, "flow": flow, "attempt": 1, "sender": "ACME",
                "receiver": "GLOBEX", "partner": "GLOBEX", "sourceId": name, "origin": "Step 3", "orderKey": "PO-1001",
                "error": {"category": "system", "code": "ETIMEDOUT", "message": f"connect timeout {name}"},
                "payloads": {"sender": {"body": "UNB+", "contentType": "application/edifact"},
                             "receiver": {"body": "<order/>", "contentType": "application/xml"}}, **more}

    for flow in api_hooks.FLOWS:
        call("PUT", f"/flows/{flow}", {"retry": {"mode": "manual"}, "confirmation": {"within": "48h"}})
    parts = [{"id": "line-3", "status": "failed", "message": "unknown article"}, {"id": "line-4", "status": "completed"}]
    shapes = [{}, {"status": "partially_failed", "parts": parts}, {"payloads": {"sender": {"body": "UNB+"}}}, {"payloads": {}}]
    reports = [report(name, api_hooks.FLOWS[n % len(api_hooks.FLOWS)], **shapes[n % len(shapes)])
               for n, name in enumerate(api_hooks.INTERCHANGES)]
    send(reports + [report(f"{flow}-1", flow) for flow in api_hooks.CONFIGURED])
    deadline = time.time() + 30
    while sum(sum(flow["counts"].values()) for flow in call_get(http, "/flows")["items"]) < len(reports) + len(api_hooks.CONFIGURED):
        assert time.time() < deadline, "the failures did not arrive"
        time.sleep(0.1)
    order = {"reason": "to have one", "selection": {"ids": [api_hooks.INTERCHANGES[0]]}, "canary": 1}
    return [call("POST", f"/flows/{flow}/retry", order if flow == api_hooks.FLOWS[0] else {**order, "selection": {"all": True}})["id"]
            for flow in api_hooks.FLOWS[:3]]


def call_get(http, path):
    with urllib.request.urlopen(http + path, timeout=30) as answer:
        return json.loads(answer.read())


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--http", required=True)
    parser.add_argument("--aws", required=True)
    parser.add_argument("--examples", type=int, default=15, help="requests for each operation and phase, at most")
    parser.add_argument("--seed", type=int, default=1)
    # Other options are passed to schemathesis, for example --report-har-path.
    options, more = parser.parse_known_args()
    jobs = fill(options.http, options.aws)
    here = pathlib.Path(__file__).resolve().parent
    environment = {**os.environ, "PYTHONPATH": str(here), "PYTHONDONTWRITEBYTECODE": "1",
                   "SCHEMATHESIS_HOOKS": "api_hooks", "REPRISE_JOBS": ",".join(jobs)}
    command = [sys.executable, "-m", "schemathesis.cli", "run", str(DOCUMENT), "--url", options.http, "--mode", "all",
               "--checks", ",".join(CHECKS), "--max-examples", str(options.examples), "--seed", str(options.seed),
               "--workers", "1", "--continue-on-failure", "--generation-database", "none", "--no-color", "--warnings", "off", *more]
    # schemathesis creates a folder in its working directory.
    with tempfile.TemporaryDirectory() as empty:
        sys.exit(subprocess.run(command, env=environment, cwd=empty, check=False).returncode)


if __name__ == "__main__":
    main()
