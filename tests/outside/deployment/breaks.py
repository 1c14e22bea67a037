"""Deliberate defects, each in a stack of its own, with the step at which the proof must fail.

A proof that passes on a broken stack proves nothing. So the proof must fail for each of these, at the given step.
"""


def _drop(*path):
    """Removes one part of the template."""
    def broken(template):
        *way, last = path
        _at(template["Resources"], way).pop(last)
    return broken


def _set(value, *path):
    """Replaces one part of the template."""
    def broken(template):
        *way, last = path
        _at(template["Resources"], way)[last] = value
    return broken


def _deny(role, action):
    """Removes one action from a role."""
    def broken(template):
        statements = template["Resources"][role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
        kept = [statement for statement in statements if statement.get("Action") != action]
        for statement in kept:
            if isinstance(statement.get("Action"), list) and action in statement["Action"]:
                statement["Action"] = [other for other in statement["Action"] if other != action]
        template["Resources"][role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"] = kept
    return broken


def _forbid(role, sid):
    """Takes one statement from a role."""
    def broken(template):
        document = template["Resources"][role]["Properties"]["Policies"][0]["PolicyDocument"]
        document["Statement"] = [statement for statement in document["Statement"] if statement.get("Sid") != sid]
    return broken


def _at(node, way):
    for name in way:
        node = node[name]
    return node


def _variables(function):
    return function, "Properties", "Environment", "Variables"


def _index(name):
    return "Table", "Properties", "GlobalSecondaryIndexes", 0, name


BREAKS = {
    "a role variable names another role":
        ("the next retry is scheduled", _set({"Fn::GetAtt": ["ListRole", "Arn"]}, *_variables("IngestFailure"), "SCHEDULE_ROLE_ARN")),
    "a role variable is missing": ("a retry by hand", _drop(*_variables("Retry"), "SCHEDULE_ROLE_ARN")),
    "the table's variable names another table": ("the API takes signatures", _set("another", *_variables("List"), "TABLE_NAME")),
    "a stage's variable names the other stage":
        ("a retry by hand", _set({"Ref": "SenderStageQueue"}, *_variables("ConfigureFlow"), "RECEIVER_STAGE_QUEUE_URL")),
    "the jobs' variable names another queue":
        ("a job, with its plan", _set({"Ref": "SenderStageQueue"}, *_variables("Retry"), "JOBS_QUEUE_URL")),
    "a route is missing": ("failures are listed and filtered", _drop("GetGroupsRoute")),
    "a route leads to another function":
        ("a restart by hand", _set({"Fn::Sub": "integrations/${DeleteIntegration}"}, "RestartInterchangeRoute", "Properties", "Target")),
    "a route is open": ("the API takes signatures", _set("NONE", "GetPayloadRoute", "Properties", "AuthorizationType")),
    "API Gateway may not invoke": ("roles and permissions have what ministack does not ask for", _drop("RetryPermission")),
    "failures have no event source": ("failures are shown", _drop("IngestFailure", "Properties", "Events", "Failures")),
    "jobs have no event source": ("a job, with its plan", _drop("RunJob", "Properties", "Events", "Jobs")),
    "work that was given up has no event source": ("work is set aside and resumed", _drop("RunJob", "Properties", "Events", "GivenUp")),
    "a sweep has no schedule":
        ("roles and permissions have what ministack does not ask for", _drop("ScheduledRetry", "Properties", "Events", "SweepJobs")),
    "the index has another name": ("failures are listed and filtered", _set("by-date", *_index("IndexName"))),
    "the index carries keys alone":
        ("failures are listed and filtered", _set({"ProjectionType": "KEYS_ONLY"}, *_index("Projection"))),
    "a role may not write": ("a retry by hand", _deny("RetryRole", "dynamodb:UpdateItem")),
    "a role may not write by statements": ("a delete by hand", _deny("DeleteRole", "dynamodb:PartiQLUpdate")),
    "a role may not send": ("a retry by hand", _deny("RetryRole", "sqs:SendMessage")),
    "a role may have no message come again":
        ("roles and permissions have what ministack does not ask for", _deny("IngestFailureRole", "sqs:ChangeMessageVisibility")),
    "run-job may not set work aside that it refuses":
        ("roles and permissions have what ministack does not ask for", _forbid("RunJobRole", "Refused")),
    "a role may make no schedule": ("the next retry is scheduled", _deny("IngestFailureRole", "scheduler:CreateSchedule")),
    "a role may not query": ("the API takes signatures", _deny("ListRole", "dynamodb:Query")),
    "the schedules' role may start nothing":
        ("roles and permissions have what ministack does not ask for", _deny("ScheduleRole", "lambda:InvokeFunction")),
    "a role may write no log": ("roles and permissions have what ministack does not ask for", _deny("DeleteRole", "logs:PutLogEvents")),
}
