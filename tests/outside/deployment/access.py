"""Access control: without an issuer, IAM checks the signature of the caller. With an issuer, the token needs the scope of the route."""

import time

from . import issuer
from .pipeline import EDIFACT, failure

CONSOLE = {"GET /console", "GET /console/{path+}"}


def signed(proof, stack):
    """No route is open, and IAM decides what a signature allows."""
    proof.begin("the API takes signatures")
    api = stack.aws.client("apigatewayv2")
    for route in api.get_routes(ApiId=stack.ids["Api"], MaxResults="100")["Items"]:
        proof.equal(f"authorization of {route['RouteKey']}", route.get("AuthorizationType"), "AWS_IAM")
    proof.equal("the list, signed by one who may", stack.call("GET", "/flows").status, 200)
    nobody = stack.person("nobody")
    for what, key in (("unsigned", None), ("signed by one who may not", nobody), ("with a wrong secret", (stack.operator[0], "x" * 40))):
        for method, path in (("GET", "/flows"), ("POST", "/interchanges/o-1/retry"), ("PUT", "/flows/orders"), ("GET", "/console")):
            answer = stack.call(method, path, key=key)
            proof.equal(f"{method} {path} {what} ({answer})", answer.status, 403)
    page = stack.call("GET", "/console")
    proof.equal("the console, signed", (page.status, page.headers["content-type"].split(";")[0]), (200, "text/html"))


def with_tokens(proof, stack, issued):
    """Each route requires its scope, and the actor is the subject of the token."""
    proof.begin("with an issuer the API takes tokens")
    api = stack.aws.client("apigatewayv2")
    for route in api.get_routes(ApiId=stack.ids["Api"], MaxResults="100")["Items"]:
        expected = "NONE" if route["RouteKey"] in CONSOLE else "JWT"
        proof.equal(f"authorization of {route['RouteKey']}", route.get("AuthorizationType"), expected)

    def status(method, path, token=None, body=None, key=None):
        return stack.call(method, path, body, key=key, token=token).status

    configure = issued.token("reprise/configure")
    proof.equal("PUT with the scope", status("PUT", "/flows/orders", configure, {"retry": {"mode": "manual"}}), 200)
    stack.report(failure("t-1", "orders"))
    read, operate, shown, erase = (issued.token(f"reprise/{scope}") for scope in ("read", "operate", "payload", "erase"))
    proof.wait("the failure", lambda: status("GET", "/interchanges/t-1", read) == 200)

    for what, token in (
        ("without a token", None), ("with another audience", issued.token("reprise/read", aud="another")),
        ("with an expired token", issued.token("reprise/read", exp=int(time.time()) - 60)),
        ("with a token of another issuer", issued.token("reprise/read", iss="https://issuer.example")),
        ("with a token of another key", issued.token("reprise/read", key=issuer.stranger())),
    ):
        proof.equal(f"GET /flows {what}", status("GET", "/flows", token), 401)
    proof.equal("GET /flows with a signature and no token", status("GET", "/flows", key="operator"), 401)

    payload, retry, settings = "/interchanges/t-1/payloads/sender", "/interchanges/t-1/retry", "/flows/orders"
    one, many = "/interchanges/t-1/erase", "/flows/orders/erase"
    reason = {"reason": "the partner is up again"}
    for scope, token, refused in (
        ("read", read, (("GET", payload), ("POST", retry), ("PUT", settings))),
        ("payload", shown, (("GET", "/flows"), ("POST", retry), ("PUT", settings))),
        ("operate", operate, (("GET", "/flows"), ("GET", payload), ("PUT", settings), ("POST", one), ("POST", many))),
        ("erase", erase, (("GET", "/flows"), ("GET", payload), ("POST", retry), ("PUT", settings))),
        ("configure", configure, (("GET", "/flows"), ("GET", payload), ("POST", retry))),
        ("no", issued.token(), (("GET", "/flows"), ("GET", payload), ("POST", retry), ("PUT", settings))),
    ):
        for method, path in refused:
            proof.equal(f"{method} {path} with {scope} scope", status(method, path, token, reason), 403)
    proof.equal("the payload with its scope", stack.call("GET", payload, token=shown).body, EDIFACT.encode())
    proof.equal("a retry with its scope", status("POST", retry, operate, reason), 200)
    told = stack.call("GET", "/interchanges/t-1", token=read).json()
    asked = next(event for event in told["events"] if event["kind"] == "retry_requested")
    proof.true(f"the actor {asked['actor']} is the token's subject", "sub-1" in asked["actor"])
    proof.equal("an erasure with its scope", stack.call("POST", one, reason, token=erase).json()["status"], "erased")
    proof.equal("the payload of what was erased", status("GET", payload, shown), 404)

    proof.equal("the console without a token", status("GET", "/console"), 200)
    config = stack.call("GET", "/console/config.json", key=None)
    proof.holds("what the console is told", config.json(), {"issuer": issued.url, "clientId": "console"})
