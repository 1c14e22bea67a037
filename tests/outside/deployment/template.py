"""Reads the output of `sam build`, and removes what ministack does not support."""

import pathlib

import yaml


def read(path):
    """The template with absolute paths of its artifacts, so that it can be deployed from any directory."""
    template = yaml.safe_load(path.read_text())
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::Serverless::Function":
            properties["CodeUri"] = str((path.parent / properties["CodeUri"]).resolve())
    return template


def without_unknown(template):
    """Removes the resources that ministack refuses: alarms with metric math (`Metrics`). Returns their names. No resource refers to an alarm."""
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
