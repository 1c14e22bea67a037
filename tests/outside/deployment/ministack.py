"""An AWS on this machine: ministack in a process of its own, over TLS, checking every signature and every policy.

Where it is not as AWS is, the way around stands here and in no template:

- Functions find it by `AWS_ENDPOINT_URL`, and trust its certificate by `SSL_CERT_FILE`; both reach them from its own environment.
- It keeps a concurrency that a parameter gives as text, and then polls nothing: `mend` sets it again as a number.
- It judges CreateSchedule as if every schedule were in the group `default`, SendMessageBatch and ChangeMessageVisibilityBatch as
  actions of their own, where AWS asks for SendMessage and ChangeMessageVisibility, and BatchExecuteStatement as one on no table in particular, where AWS asks for what each statement does on
  which (ours are all PartiQLUpdate): `mend` repeats for them what a role allows. What a role does not allow stays denied.
- It finds no key in a statement whose condition has an OR beside the key: `recorded.py` passes over the OR, as AWS does.
- It has no alarms that calculate: `template.py` leaves them out.
- It has no Fn::Join in conditions, so a list that is empty counts as given, and a role gets a statement on no resource at all:
  `permissions.py` passes these over.
- The API answers under `<id>.execute-api.localhost` in place of the host that the stack's output names.
- It does not tell a function which queue a dead letter comes from: such stay with the flow `unassigned`.
- It takes no role when a schedule fires or an event source polls, and asks for no permission when API Gateway invokes:
  `permissions.py` reads those off what is deployed.
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
PATIENCE = 60  # seconds until it answers


class Ministack:
    """Runs as long as the `with` block; its log is kept in the folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.port = _free_port()
        self.endpoint = f"https://localhost:{self.port}"
        self.authority = self.folder / "ca.pem"

    def __enter__(self):
        certificates.make(self.folder)
        (self.folder / "tmp").mkdir()
        # Nothing of our own environment: a function has what its stack gives it, and what stands here.
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.folder), "TMPDIR": str(self.folder / "tmp"),
            "AUTH": "true", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
            "GATEWAY_PORT": str(self.port), "BIND_HOST": "127.0.0.1", "MINISTACK_REGION": REGION,
            "USE_SSL": "1", "MINISTACK_SSL_CERT": str(self.folder / "server.pem"), "MINISTACK_SSL_KEY": str(self.folder / "server.key"),
            "RECORD": str(self.folder / "calls"), "AWS_ENDPOINT_URL": self.endpoint, "SSL_CERT_FILE": str(self.authority),
            "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0",
        }
        # -P: nothing beside that program is taken for one of ministack's modules.
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
        end = time.monotonic() + PATIENCE
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
        """What was asked of policies: `caller`, `action`, `resource`, and whether it was `refused`."""
        return [json.loads(line) for line in (self.folder / "calls").read_text().splitlines()]

    def environment(self):
        """What an AWS tool needs to take this for AWS, as the root of the account."""
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
        """Sets right what came of a deployment otherwise than on AWS, as told above."""
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
        """What a stack is made of: by type, the physical id of each logical one."""
        pages, made = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=stack_name), {}
        for resource in (resource for page in pages for resource in page["StackResourceSummaries"]):
            made.setdefault(resource["ResourceType"], {})[resource["LogicalResourceId"]] = resource["PhysicalResourceId"]
        return made


def _as_aws_reads(statement, stack_name):
    """What a statement allows on AWS and ministack asks for under another name."""
    own, default = f":schedule/{stack_name}/", ":schedule/default/"
    if arns := [arn for arn in listed(statement["Resource"]) if own in arn]:
        yield {**statement, "Resource": [arn.replace(own, default) for arn in arns]}
    for action in ("sqs:SendMessage", "sqs:ChangeMessageVisibility"):
        if action in listed(statement["Action"]):
            yield {**statement, "Action": f"{action}Batch"}
    if "dynamodb:PartiQLUpdate" in listed(statement["Action"]):
        yield {**statement, "Action": "dynamodb:BatchExecuteStatement", "Resource": "*"}


def listed(value):
    """A policy gives one or several: always several."""
    return value if isinstance(value, list) else [value]


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
