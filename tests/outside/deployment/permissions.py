"""Checks roles and permissions that AWS requires and ministack does not check, in the deployed resources."""

import fnmatch
import json

from .ministack import ACCOUNT, REGION, listed


# Actions for which ministack checks no policy, so that their use is not recorded.
NOT_ASKED = {"logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords", "iam:PassRole",
             "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
# Actions that AWS checks under another name.
ASKED_AS = {"sqs:SendMessageBatch": "sqs:SendMessage", "sqs:ChangeMessageVisibilityBatch": "sqs:ChangeMessageVisibility",
            "dynamodb:BatchExecuteStatement": "dynamodb:PartiQLUpdate"}

# Actions that a role needs for cases that this proof does not cover.
NEEDED = {
    # Two environments register the same new flow at the same time; an interchange with a hundred log items completes; a report fails.
    "IngestFailure": {"dynamodb:GetItem", "dynamodb:Query", "sqs:ChangeMessageVisibility"},
    "Restart": {"dynamodb:DeleteItem"},  # a job that does not exist any more blocks its flow
    "Retry": {"dynamodb:DeleteItem"},  # the same
    "Delete": {"dynamodb:DeleteItem"},  # the same, and a job is cancelled before its first step
    # Slots are overdue or held, jobs end or last for days, counts are an hour old.
    "ScheduledRetry": {"dynamodb:BatchGetItem", "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:PartiQLUpdate"},
    # Retries that fell due while a flow was inactive are released.
    "ConfigureFlow": {"dynamodb:UpdateItem", "sqs:SendMessage"},
}

# The schedules of the sweeps: what scheduled-retry sweeps, and how often.
SWEEPS = {"slots": "rate(1 minute)", "jobs": "rate(1 minute)", "counts": "rate(15 minutes)"}

# The actions for sending to a queue that is encrypted with a customer managed key.
SENDING = {"sqs:SendMessage", "kms:Decrypt", "kms:GenerateDataKey"}


class Roles:
    """The policies of the stack's roles."""

    def __init__(self, stack):
        self._iam = stack.iam

    def trusts(self, role):
        document = self._iam.get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
        return {service for statement in document["Statement"] for service in listed(statement["Principal"]["Service"])}

    def statements(self, role):
        """The statements of the role that have a resource."""
        return (statement for statement in self._every(role) if any(listed(statement["Resource"])))

    def _every(self, role):
        for policy in self._iam.list_role_policies(RoleName=role)["PolicyNames"]:
            yield from self._iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]["Statement"]
        for policy in self._iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
            version = self._iam.get_policy(PolicyArn=policy["PolicyArn"])["Policy"]["DefaultVersionId"]
            document = self._iam.get_policy_version(PolicyArn=policy["PolicyArn"], VersionId=version)["PolicyVersion"]["Document"]
            yield from document["Statement"]

    def allow(self, role, action, resource):
        return any(
            statement["Effect"] == "Allow"
            and any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in listed(statement["Action"]))
            and any(fnmatch.fnmatchcase(resource, pattern) for pattern in listed(statement["Resource"]))
            for statement in self.statements(role)
        )


def used(proof, stack, functions):
    """Every action of a function's role was used, and no call of the function was refused."""
    proof.begin("roles have no action that is not used")
    roles, calls = Roles(stack), {}
    for call in stack.aws.calls():
        role = call["caller"].split("/")[1] if ":assumed-role/" in call["caller"] else None
        calls.setdefault(role, []).append(call)
    for name in functions:
        role = stack.ids[f"{name}Role"]
        refused = [f"{call['action']} on {call['resource']}" for call in calls.get(role, []) if call["refused"]]
        proof.equal(f"what the role of {name} was refused", refused, [])
        granted = {action for statement in roles.statements(role) for action in listed(statement["Action"])} - NOT_ASKED
        asked = {ASKED_AS.get(call["action"], call["action"]) for call in calls.get(role, [])}
        unused = granted - set(ASKED_AS) - asked - NEEDED.get(name, set())
        proof.equal(f"actions of {name} that nothing used", sorted(unused), [])


def read_off(proof, stack):
    """Event sources, logs, destinations, schedules and the API have the permissions that they need."""
    proof.begin("roles and permissions have what ministack does not ask for")
    roles, functions = Roles(stack), stack.aws.client("lambda")

    def allows(role, action, resource):
        proof.true(f"{role} may {action} on {resource}", roles.allow(role, action, resource))

    deployed = [functions.get_function(FunctionName=name)["Configuration"] for name in stack.made["AWS::Lambda::Function"].values()]
    by_arn = {function["FunctionArn"]: function["Role"].rsplit("/", 1)[-1] for function in deployed}
    scheduling = stack.ids["ScheduleRole"]
    scheduling_arn = stack.iam.get_role(RoleName=scheduling)["Role"]["Arn"]
    for function in deployed:
        role, group = by_arn[function["FunctionArn"]], function["LoggingConfig"]["LogGroup"]
        proof.true(f"{role} can be taken by Lambda", "lambda.amazonaws.com" in roles.trusts(role))
        for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
            allows(role, action, f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:log-stream:any")
        if function.get("TracingConfig", {}).get("Mode") == "Active":
            allows(role, "xray:PutTraceSegments", "*")
        if roles.allow(role, "scheduler:CreateSchedule", f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/{stack.name}/any"):
            allows(role, "iam:PassRole", scheduling_arn)

    sources = [functions.get_event_source_mapping(UUID=one) for one in stack.made.get("AWS::Lambda::EventSourceMapping", {}).values()]
    for source in sources:
        # The function changes the visibility of failed messages, except on a dead-letter queue.
        again = () if source["EventSourceArn"].endswith("-dlq") else ("sqs:ChangeMessageVisibility",)
        for action in ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", *again):
            allows(by_arn[source["FunctionArn"]], action, source["EventSourceArn"])

    retrying = next(arn for arn in by_arn if arn.endswith(f":{stack.name}-scheduled-retry"))
    given_up = functions.get_function_event_invoke_config(FunctionName=retrying, Qualifier="$LATEST")["DestinationConfig"]["OnFailure"]
    allows(by_arn[retrying], "sqs:SendMessage", given_up["Destination"])
    proof.equal("who takes the schedules' role", roles.trusts(scheduling), {"scheduler.amazonaws.com"})
    allows(scheduling, "lambda:InvokeFunction", retrying)
    allows(scheduling, "sqs:SendMessage", stack.arn_of(stack.ids["SchedulesDeadLetterQueue"]))

    # The right to send to other queues would hide that this one is missing.
    refused = stack.arn_of(stack.ids["RefusedWorkQueue"])
    sending = [name for name in stack.made["AWS::Lambda::Function"] if roles.allow(stack.ids[f"{name}Role"], "sqs:SendMessage", refused)]
    proof.equal("who may send to the queue of refused work", sending, ["RunJob"])

    scheduler, sweeps = stack.aws.client("scheduler"), {}
    for name in (made.rsplit("/", 1)[-1] for made in stack.made["AWS::Scheduler::Schedule"].values()):
        sweep = scheduler.get_schedule(Name=name, GroupName=stack.name)
        target = sweep["Target"]
        sweeps[name] = (sweep["State"], sweep["ScheduleExpression"], target["Arn"], json.loads(target["Input"]))
        allows(target["RoleArn"].rsplit("/", 1)[-1], "lambda:InvokeFunction", retrying)
    wanted = {f"{stack.name}-sweep-{what}": ("ENABLED", rate, retrying, {"sweep": what}) for what, rate in SWEEPS.items()}
    proof.equal("the sweeps", sweeps, wanted)
    _invocable(proof, stack, functions)


def opened(proof, stack, queue, key):
    """Only the roles that need them have access to the stage queue and the key that were given as parameters."""
    proof.begin("roles reach the queues and keys that parameters name")
    roles = Roles(stack)
    for name, may in (("IngestFailure", {"kms:Decrypt"}), ("List", set()), ("Delete", set()), ("Restart", SENDING), ("Retry", SENDING), ("RunJob", SENDING)):
        resources = {"sqs:SendMessage": queue, "kms:Decrypt": key, "kms:GenerateDataKey": key}
        allowed = {action for action, resource in resources.items() if roles.allow(stack.ids[f"{name}Role"], action, resource)}
        proof.equal(f"what {name} may do with them", allowed, may)


def _invocable(proof, stack, functions):
    """API Gateway may invoke the function behind each route, from that route."""
    api = stack.aws.client("apigatewayv2")
    behind = {item["IntegrationId"]: item["IntegrationUri"] for item in api.get_integrations(ApiId=stack.ids["Api"], MaxResults="100")["Items"]}
    for route in api.get_routes(ApiId=stack.ids["Api"], MaxResults="100")["Items"]:
        method, path = route["RouteKey"].split(" ")
        function = behind[route["Target"].rsplit("/", 1)[-1]]
        arn = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{stack.ids['Api']}/$default/{method}{path}"
        try:
            statements = json.loads(functions.get_policy(FunctionName=function)["Policy"])["Statement"]
        except functions.exceptions.ResourceNotFoundException:
            statements = []
        proof.true(f"{route['RouteKey']} may invoke {function}", any(
            statement["Principal"] == {"Service": "apigateway.amazonaws.com"}
            and fnmatch.fnmatchcase(arn, statement["Condition"]["ArnLike"]["AWS:SourceArn"])
            for statement in statements
        ))
