"""An AWS emulator on this machine: ministack in a process of its own, over TLS, with checks of signatures and policies.

Differences from AWS, with the workarounds. They are in these files and not in the template:

- Functions find it by `AWS_ENDPOINT_URL` and trust its certificate by `SSL_CERT_FILE`. They inherit both from its environment.
- When a parameter provides a concurrency, ministack stores it as text and then does not poll: `mend` sets it again as a number.
- It checks CreateSchedule as if every schedule were in the group `default`. It checks SendMessageBatch and
  ChangeMessageVisibilityBatch as actions of their own, where AWS checks SendMessage and ChangeMessageVisibility. It checks
  BatchExecuteStatement without a table, where AWS checks the action and the table of each statement (ours are all PartiQLUpdate).
  `mend` adds statements for these to each role, from what the role allows. What a role does not allow stays denied.
- It finds no key in a PartiQL statement whose condition has an OR next to the key: `recorded.py` removes the OR for this purpose.
- It does not support alarms with metric math: `template.py` removes them.
- It does not support Fn::Join in conditions. So an empty list counts as given, and a role gets a statement without resources:
  `permissions.py` ignores these statements.
- The host of the API is `<id>.execute-api.localhost`, not the one in the stack's output.
- It does not provide the queue from which a dead letter comes, so dead letters stay in the flow `unassigned`.
- It does not assume a role when a schedule fires or an event source polls, and it checks no permission when API Gateway invokes a
  function: `permissions.py` checks the deployed roles and permissions instead.
"""

import json
import os
import pathlib
import socket
import ssl
import subprocess
import sys
import time
import urllib.error
import urllib.request

import boto3
import botocore.config

from . import certificates

REGION, ACCOUNT = "eu-west-1", "000000000000"
MAX_WAIT = 60  # seconds until it responds


class Ministack:
    """Runs for the duration of the `with` block. Its log is written to the folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.port = _free_port()
        self.endpoint = f"https://localhost:{self.port}"
        self.authority = self.folder / "ca.pem"

    def __enter__(self):
        certificates.make(self.folder)
        (self.folder / "tmp").mkdir()
        # Nothing else of our own environment: a function has only the variables of its stack and these.
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.folder), "TMPDIR": str(self.folder / "tmp"),
            "AUTH": "true", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
            "GATEWAY_PORT": str(self.port), "BIND_HOST": "127.0.0.1", "MINISTACK_REGION": REGION,
            "USE_SSL": "1", "MINISTACK_SSL_CERT": str(self.folder / "server.pem"), "MINISTACK_SSL_KEY": str(self.folder / "server.key"),
            "RECORD": str(self.folder / "calls"), "AWS_ENDPOINT_URL": self.endpoint, "SSL_CERT_FILE": str(self.authority),
            "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0",
        }
        # -P: Python does not import modules from the program's directory in place of those of ministack.
        program = [sys.executable, "-P", pathlib.Path(__file__).with_name("recorded.py")]
        with open(self.folder / "ministack.log", "wb") as log:
            self._process = subprocess.Popen(program, env=environment, cwd=self.folder, stdout=log, stderr=log)
        self._await_health()
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _await_health(self):
        trust = ssl.create_default_context(cafile=self.authority)
        end = time.monotonic() + MAX_WAIT
        while True:
            try:
                with urllib.request.urlopen(f"{self.endpoint}/_ministack/health", timeout=5, context=trust):
                    return
            except (urllib.error.URLError, OSError) as error:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise SystemExit(f"ministack does not answer: {error}\n{self.log()[-3000:]}") from error
                time.sleep(0.2)

    def log(self):
        return (self.folder / "ministack.log").read_text(errors="replace")

    def calls(self):
        """The policy checks: `caller`, `action`, `resource`, and whether it was `refused`."""
        return [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]

    def environment(self):
        """The environment variables with which AWS tools use this endpoint, as the root of the account."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint, "AWS_CA_BUNDLE": str(self.authority), "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        }

    def client(self, service, key=("test", "test")):
        return boto3.client(
            service, endpoint_url=self.endpoint, region_name=REGION, verify=str(self.authority),
            aws_access_key_id=key[0], aws_secret_access_key=key[1],
            config=botocore.config.Config(retries={"total_max_attempts": 2}, read_timeout=60),
        )

    def mend(self, stack_name):
        """Corrects what a deployment does differently from AWS, as described above."""
        functions, iam, made = self.client("lambda"), self.client("iam"), self.made(stack_name)
        for source in made.get("AWS::Lambda::EventSourceMapping", {}).values():
            most = functions.get_event_source_mapping(UUID=source)["ScalingConfig"]["MaximumConcurrency"]
            functions.update_event_source_mapping(UUID=source, ScalingConfig={"MaximumConcurrency": int(most)})
        for role in made["AWS::IAM::Role"].values():
            for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
                document = iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]
                meant = [again for statement in document["Statement"] for again in _as_aws_reads(statement, stack_name)]
                if meant:
                    document = json.dumps({"Version": document["Version"], "Statement": meant})
                    iam.put_role_policy(RoleName=role, PolicyName=f"{policy}-as-aws-reads-it", PolicyDocument=document)

    def made(self, stack_name):
        """The resources of a stack: by type, the physical id of each logical id."""
        pages, made = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack_name), {}
        for resource in (resource for page in pages for resource in page["StackResourceSummaries"]):
            made.setdefault(resource["ResourceType"], {})[resource["LogicalResourceId"]] = resource["PhysicalResourceId"]
        return made


def _as_aws_reads(statement, stack_name):
    """Statements for actions that a statement allows on AWS and that ministack checks under another name."""
    own, default = f":schedule/{stack_name}/", ":schedule/default/"
    if arns := [arn for arn in listed(statement["Resource"]) if own in arn]:
        yield {**statement, "Resource": [arn.replace(own, default) for arn in arns]}
    for action in ("sqs:SendMessage", "sqs:ChangeMessageVisibility"):
        if action in listed(statement["Action"]):
            yield {**statement, "Action": f"{action}Batch"}
    if "dynamodb:PartiQLUpdate" in listed(statement["Action"]):
        yield {**statement, "Action": "dynamodb:BatchExecuteStatement", "Resource": "*"}


def listed(value):
    """The value as a list. A policy may contain one value or a list."""
    return value if isinstance(value, list) else [value]


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
