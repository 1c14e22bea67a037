"""The template that `sam build` left, less what ministack has no place for."""

import pathlib

import yaml


def read(path):
    """The template, with the artifacts it names by full paths, so that it can be deployed from anywhere."""
    template = yaml.safe_load(path.read_text())
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            properties["CodeUri"] = str((path.parent / properties["CodeUri"]).resolve())
    return template


def without_unknown(template):
    """Leaves out what ministack refuses, and gives the names: alarms that calculate (`Metrics`). Nothing refers to an alarm."""
    names = [
        name for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in resource["Properties"]
    ]
    for name in names:
        del template["Resources"][name]
    return names


def write(template, path):
    pathlib.Path(path).write_text(yaml.safe_dump(template, sort_keys=False))
    return path
