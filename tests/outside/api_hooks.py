"""Makes schemathesis ask about things that exist: without it nearly every answer would be a 404.

Names that exist are drawn about every other time, from those that api.py has put there.
"""

import os

import schemathesis
from hypothesis import strategies

# Flows with failures, as the document's examples name the first; what acts, acts on them.
FLOWS = ["orders", "invoices", "despatch", "payments", "returns"]
# Flows that are reconfigured all the time.
CONFIGURED = ["configured-1", "configured-2"]
INTERCHANGES = ["4711", "4712"] + [f"PO-{n}" for n in range(1000, 1400)]
JOBS = [job for job in os.environ.get("REPRISE_JOBS", "").split(",") if job]


def existing(context, location):
    """What a path may name so that there is such a thing."""
    if location == "flow":
        return CONFIGURED if context.operation.method.upper() == "PUT" else FLOWS + CONFIGURED
    return JOBS if context.operation.path.startswith("/jobs") else INTERCHANGES


@schemathesis.hook
def before_generate_path_parameters(context, strategy):
    """Puts existing names into paths that were not made wrong on purpose. What is drawn is the parameters, wrapped or not;
    nothing where a link has told all of them."""

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
    """Takes configurations past their guards, an active job and the version, which is all that would be told otherwise."""
    if case.method.upper() == "PUT":
        if case.path_parameters.get("flow") in FLOWS:
            case.path_parameters["flow"] = CONFIGURED[0]
        if case.headers.get("If-Match") == '"1"':
            case.headers["If-Match"] = "*"


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """A field that is null counts as left out, which a schema cannot say without saying it at every field; and 412 is a refusal."""
    accepted = type(failure).__name__ == "AcceptedNegativeData"
    return not accepted or not (holds_null(case.body) or response.status_code == 412)


def holds_null(value):
    if isinstance(value, dict):
        value = list(value.values())
    return value is None or isinstance(value, list) and any(holds_null(item) for item in value)
