"""Makes schemathesis use existing names: without this nearly every response would be a 404.

About every second path gets a name of a resource that api.py has created.
"""

import os

import schemathesis
from hypothesis import strategies

# Flows with failures, on which actions are tested. The first one is that of the examples in the document.
FLOWS = ["orders", "invoices", "despatch", "payments", "returns"]
# Flows that are reconfigured by PUT requests.
CONFIGURED = ["configured-1", "configured-2"]
INTERCHANGES = ["4711", "4712"] + [f"PO-{n}" for n in range(1000, 1400)]
JOBS = [job for job in os.environ.get("REPRISE_JOBS", "").split(",") if job]


def existing(context, location):
    """The existing values for a path parameter."""
    if location == "flow":
        return CONFIGURED if context.operation.method.upper() == "PUT" else FLOWS + CONFIGURED
    return JOBS if context.operation.path.startswith("/jobs") else INTERCHANGES


@schemathesis.hook
def before_generate_path_parameters(context, strategy):
    """Puts existing names into paths, except into deliberately invalid ones. The drawn value is the parameters, with or without a
    wrapper, or None when a link provides all of them."""

    def put(drawn, chosen):
        if drawn is None or getattr(drawn, "meta", None) is not None:
            return drawn
        chosen = {name: value for name, value in chosen.items() if value is not None}
        if hasattr(drawn, "map_value"):
            return drawn.map_value(lambda values: values and {**values, **chosen})
        return {**drawn, **chosen}

    names = [name for name in ("flow", "id") if f"{{{name}}}" in context.operation.path]
    if not names:
        return strategy
    picks = {name: strategies.none() | strategies.sampled_from(existing(context, name)) for name in names}
    return strategies.builds(put, strategy, strategies.fixed_dictionaries(picks))


@schemathesis.hook
def before_call(context, case, kwargs):
    """Lets PUT requests pass the checks for an active job and for the version. Otherwise nearly all of them would be refused there."""
    if case.method.upper() == "PUT":
        if case.path_parameters.get("flow") in FLOWS:
            case.path_parameters["flow"] = CONFIGURED[0]
        if case.headers.get("If-Match") == '"1"':
            case.headers["If-Match"] = "*"


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Accepts two kinds of responses: a null member counts as absent, which the schema does not state for each member; and 412 counts as a refusal."""
    accepted = type(failure).__name__ == "AcceptedNegativeData"
    return not accepted or not (holds_null(case.body) or response.status_code == 412)


def holds_null(value):
    if isinstance(value, dict):
        value = list(value.values())
    return value is None or isinstance(value, list) and any(holds_null(item) for item in value)
