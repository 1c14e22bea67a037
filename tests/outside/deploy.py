"""Deploys Reprise to an AWS that is not ours, and proves that what was deployed works.

    sam build --config-file samplconfig.toml
    python tests/outside/deploy.py

What `sam build` left goes through CloudFormation by `sam deploy`, as the README has it, into ministack: another team's
AWS, which checks signatures and policies. From then on nothing is used but boto3 and HTTP. Then it is broken on purpose,
in one way after the other, and the same proof must fail at the step that uses what is broken.

Run it with the Python of a virtual environment that holds ministack and cryptography (`.ci/proof.txt`), with `sam` on the
path. Where ministack differs from AWS, the way around stands in `deployment/ministack.py` and in no template. One line
tells of each step; the exit code is 1 at the first thing that is not as it should be, which the last line names.
"""

import argparse
import concurrent.futures
import copy
import pathlib
import sys
import tempfile

from deployment import access, intake, jobs, logs, permissions, reentry, template, timed
from deployment.breaks import BREAKS
from deployment.issuer import AUDIENCE, Issuer
from deployment.ministack import ACCOUNT, REGION, Ministack
from deployment.pipeline import Pipeline
from deployment.proof import Failed, Proof
from deployment.stack import Stack, create, deploy, deployed_template, stop_schedules

BUILT = pathlib.Path(".aws-sam/build/template.yaml")
FUNCTION = "AWS::Serverless::Function"
AT_ONCE = 3  # broken stacks side by side
QUEUES = f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders"  # how the names of a pipeline's own queues begin
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0f0e0d0c-0000-4000-8000-000000000001"  # and what they are encrypted with


def in_use(proof, stack):
    """All that needs no waiting for a schedule."""
    pipeline = Pipeline(proof, stack)
    access.signed(proof, stack)
    permissions.read_off(proof, stack)
    stage = intake.configure(proof, stack)
    ids = intake.send(proof, stack, stage)
    intake.shown(proof, stack, ids)
    intake.listed(proof, stack, ids)
    intake.slot(proof, stack, ids[0])
    reentry.retried(proof, stack, pipeline, ids[0])
    reentry.restarted(proof, stack, pipeline, ids[2])
    reentry.deleted(proof, stack, ids[1])
    jobs.run(proof, stack, pipeline)
    jobs.cancelled(proof, stack)
    jobs.comes_again(proof, stack)
    jobs.refused(proof, stack)
    return pipeline


def with_an_issuer(proof, aws):
    """A second stack, whose API takes tokens."""
    with Issuer(aws) as issued:
        proof.begin("a stack with an issuer")
        named = {"StageQueueArns": f"{QUEUES}-*", "PipelineKeyArns": KEY}
        create(aws, "tokens", deployed_template(aws), JwtIssuer=issued.url, JwtAudience=AUDIENCE, ConsoleClientId="console", **named)
        stack = Stack(aws, "tokens")
        permissions.opened(proof, stack, f"{QUEUES}-mapping", KEY)
        access.with_tokens(proof, stack, issued)
        logs.kept(proof, stack, '"t-1"')


def noticed(aws, whole, name):
    """Breaks one thing; what the proof says of it, and whether it said so at the step where it should."""
    step, broken = BREAKS[name]
    changed = copy.deepcopy(whole)
    broken(changed)
    stack, proof = f"broken-{list(BREAKS).index(name)}", Proof(limit=15)
    try:
        create(aws, stack, changed)
        try:
            in_use(proof, Stack(aws, stack))
        finally:
            stop_schedules(aws, stack)
    except Failed as failed:
        return proof.step == step, f"{proof.step}: {failed}"
    return False, "nothing"


def break_all(proof, aws, names):
    """Every break must be noticed."""
    proof.begin(f"the same with {len(names)} things broken on purpose, one at a time")
    whole = deployed_template(aws)
    passed = []
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as several:
        for name, (right, said) in zip(names, several.map(lambda name: noticed(aws, whole, name), names)):
            print(f"         {'noticed' if right else 'NOT NOTICED'}: {name}: {said.splitlines()[0][:200]}", flush=True)
            passed += [] if right else [f"{name}: at \"{BREAKS[name][0]}\""]
    proof.equal("what should have been noticed otherwise", passed, [])


def prove(proof, aws, options):
    proof.begin("sam deploy")
    whole = template.read(options.built)
    print(f"         left out, as ministack has no place for them: {', '.join(template.without_unknown(whole))}")
    deploy(aws, template.write(whole, aws.folder / "template.yaml"))
    aws.mend("reprise")
    stack = Stack(aws)
    timed.prepare(proof, stack)
    pipeline = in_use(proof, stack)
    with_an_issuer(proof, aws)
    break_all(proof, aws, options.breaks or list(BREAKS))
    timed.fired(proof, stack, pipeline)
    timed.swept(proof, stack)
    logs.kept(proof, stack, '"timed-0"')
    permissions.used(proof, stack, [name for name, resource in whole["Resources"].items() if resource["Type"] == FUNCTION])
    print(f"deployed and proven: {proof.checks} checks in {proof.seconds():.0f} s")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--built", type=pathlib.Path, default=BUILT, help="the template that `sam build` left")
    arguments.add_argument("--break", dest="breaks", action="append", choices=list(BREAKS), metavar="NAME", help="breaks this alone")
    arguments.add_argument("--keep", type=pathlib.Path, help="a new folder for ministack's log and state")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or pathlib.Path(temporary)
        if options.keep:
            folder.mkdir(parents=True)
        with Ministack(folder.resolve()) as aws:
            proof = Proof()
            try:
                prove(proof, aws, options)
            except Failed as failed:
                print(f"... the last of ministack's log:\n{aws.log()[-6000:]}\nfailed: {proof.step}: {failed}")
                sys.exit(1)


if __name__ == "__main__":
    main()
