"""A deployed stack as its users see it: outputs, HTTP API and queues."""

import http.client
import json
import os
import pathlib
import ssl
import subprocess
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions
import yaml

from . import ministack
from .proof import Failed

CONFIG = pathlib.Path(__file__).parents[3] / "samplconfig.toml"


def deploy(aws, template, *further):
    """Deploys a template with the command of the README, without prompts, with further options."""
    command = ["sam", "deploy", "--config-file", str(CONFIG), "--template-file", str(template), "--no-confirm-changeset",
               "--no-progressbar", *further]
    environment = {**os.environ, **aws.environment(), "SAM_CLI_TELEMETRY": "0"}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        raise Failed(f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout[-1500:]}\n{why_not(aws)}")


def why_not(aws, name="reprise"):
    """The reasons that CloudFormation gives for resources that it could not create."""
    cloudformation = aws.client("cloudformation")
    try:
        events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    except cloudformation.exceptions.ClientError as error:
        return str(error)
    failed = [event for event in events if event["ResourceStatus"].endswith("_FAILED")]
    return "\n".join(f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}" for event in failed)


def deployed_template(aws, name="reprise"):
    """The deployed template, with the locations to which `sam deploy` uploaded the artifacts."""
    body = aws.client("cloudformation").get_template(StackName=name, TemplateStage="Original")["TemplateBody"]
    return yaml.safe_load(body) if isinstance(body, str) else body


def create(aws, name, template, **parameters):
    """Creates another stack from a template whose artifacts are already uploaded."""
    cloudformation, storage, bucket = aws.client("cloudformation"), aws.client("s3"), "further-templates"
    if bucket not in [made["Name"] for made in storage.list_buckets()["Buckets"]]:
        storage.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": ministack.REGION})
    storage.put_object(Bucket=bucket, Key=name, Body=yaml.safe_dump(template, sort_keys=False).encode())
    cloudformation.create_stack(
        StackName=name, TemplateURL=f"{aws.endpoint}/{bucket}/{name}",
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    try:
        cloudformation.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 120})
    except botocore.exceptions.WaiterError as error:
        raise Failed(f"stack {name} was not made: {why_not(aws, name)}") from error
    aws.mend(name)


def stop_schedules(aws, name):
    """Deletes the schedules of a stack that is not used any more. Otherwise its sweeps would start functions every minute."""
    scheduler = aws.client("scheduler")
    for schedule in scheduler.list_schedules(GroupName=name)["Schedules"]:
        scheduler.delete_schedule(GroupName=name, Name=schedule["Name"])


class Answer:
    """A response of the API."""

    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"{self.status} {self.body[:400]!r}"


class Stack:
    """One stack, by its name.

    Requests are signed with the key of `operator`, who may call the API and no more, unless a call says otherwise. Queues are
    used with the two policies that the stack offers to pipelines.
    """

    def __init__(self, aws, name="reprise"):
        self.aws, self.name = aws, name
        self.sqs, self.iam = aws.client("sqs"), aws.client("iam")
        stack = aws.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
        self.outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
        self.made = aws.made(name)
        self.ids = {logical: physical for several in self.made.values() for logical, physical in several.items()}
        self.host = urllib.parse.urlsplit(self.outputs["ApiUrl"]).hostname
        self.operator = self.person("operator", [{
            "Effect": "Allow", "Action": "execute-api:Invoke",
            "Resource": f"arn:aws:execute-api:{ministack.REGION}:{ministack.ACCOUNT}:{self.ids['Api']}/*",
        }])
        policies = [self.outputs["PipelineReportPolicyArn"], self.outputs["PipelineStagePolicyArn"]]
        self.pipeline = aws.client("sqs", self.person("pipeline", policies=policies))

    def person(self, name, statements=(), policies=()):
        """Creates a user of the account with exactly these rights. Returns the access key."""
        user = f"{self.name}-{name}"
        self.iam.create_user(UserName=user)
        if statements:
            document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
            self.iam.put_user_policy(UserName=user, PolicyName="rights", PolicyDocument=document)
        for arn in policies:
            self.iam.attach_user_policy(UserName=user, PolicyArn=arn)
        key = self.iam.create_access_key(UserName=user)["AccessKey"]
        return key["AccessKeyId"], key["SecretAccessKey"]

    def call(self, method, path, body=None, key="operator", token=None):
        """Sends a request: signed by the operator, signed with another key, unsigned (`None`), or with a bearer token."""
        data = b"" if body is None else json.dumps(body).encode()
        # The output has the host of API Gateway on AWS. In the emulator the same API has this host.
        host = f"{self.host.split('.')[0]}.execute-api.localhost:{self.aws.port}"
        headers = {"host": host, **({"content-type": "application/json"} if data else {})}
        if token:
            headers["authorization"] = f"Bearer {token}"
        elif key:
            request = botocore.awsrequest.AWSRequest(method, f"https://{host}{path}", headers, data)
            credentials = botocore.credentials.Credentials(*(self.operator if key == "operator" else key))
            botocore.auth.SigV4Auth(credentials, "execute-api", ministack.REGION).add_auth(request)
            headers = dict(request.headers.items())
        trust = ssl.create_default_context(cafile=self.aws.authority)
        connection = http.client.HTTPSConnection("localhost", self.aws.port, timeout=60, context=trust)
        try:
            connection.request(method, path, data or None, headers)
            answer = connection.getresponse()
            return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def ok(self, path):
        """The JSON of a GET, which must succeed."""
        answer = self.call("GET", path)
        if answer.status != 200:
            raise Failed(f"GET {path}: {answer}")
        return answer.json()

    def get(self, path):
        """The JSON of a GET; None when it does not succeed."""
        answer = self.call("GET", path)
        return answer.json() if answer.status == 200 else None

    def interchange(self, interchange_id):
        return self.get(f"/interchanges/{interchange_id}")

    def report(self, body):
        """Sends a message, as text or JSON, to the failures queue. Returns its id."""
        text = body if isinstance(body, str) else json.dumps(body)
        return self.pipeline.send_message(QueueUrl=self.outputs["FailuresQueueUrl"], MessageBody=text)["MessageId"]

    def take(self, stage):
        """Receives and deletes messages of a stage queue. Returns them with their parsed `reprise` attribute, by interchange."""
        queue, taken = self.outputs[stage], {}
        answer = self.pipeline.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        for message in answer.get("Messages", []):
            self.pipeline.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            if "reprise" not in message.get("MessageAttributes", {}):
                raise Failed(f"on {stage} is a message without the attribute `reprise`: {message['Body'][:200]}")
            reprise = json.loads(message["MessageAttributes"]["reprise"]["StringValue"])
            taken[reprise["interchangeId"]] = (message, reprise)
        return taken

    def arn_of(self, url):
        return self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
