"""Holds OpenLineage events (one a line in the file that is named) against the classes that `openlineage-python` generates from the
published schema: every field is one that the class has, of its type, and none that it asks for is missing; every facet names the version
of the schema that its class is made from."""

import enum
import importlib
import json
import pkgutil
import sys
import types
import typing

import attr
from openlineage.client import generated
from openlineage.client.generated import base

CLASSES = {}
for found in pkgutil.iter_modules(generated.__path__):
    module = importlib.import_module(f"{generated.__name__}.{found.name}")
    for thing in vars(module).values():
        if isinstance(thing, type) and thing.__module__ == module.__name__ and hasattr(thing, "_get_schema"):
            CLASSES[thing._get_schema()] = thing

FACETS = {"facets", "inputFacets", "outputFacets"}
OF_EVERY_FACET = {"_producer", "_schemaURL", "_deleted"}


def check(kind, value, place):
    """Whether a value is of a type."""
    origin = typing.get_origin(kind)
    if kind is typing.Any:
        return
    if origin in (typing.Union, types.UnionType):
        choices = typing.get_args(kind)
        problems = []
        for choice in choices:
            try:
                return check(choice, value, place)
            except ValueError as problem:
                problems.append(str(problem))
        raise ValueError("; ".join(problems))
    if kind in (None, type(None)):
        if value is not None:
            raise ValueError(f"{place}: {value!r} is not null")
    elif origin is list:
        if not isinstance(value, list):
            raise ValueError(f"{place}: {value!r} is no list")
        for at, item in enumerate(value):
            check(typing.get_args(kind)[0], item, f"{place}[{at}]")
    elif origin is dict or kind is dict:
        if not isinstance(value, dict):
            raise ValueError(f"{place}: {value!r} is no object")
        of_values = typing.get_args(kind)[1] if typing.get_args(kind) else typing.Any
        for name, item in value.items():
            check(of_values, item, f"{place}.{name}")
    elif isinstance(kind, type) and issubclass(kind, enum.Enum):
        kind(value)
    elif attr.has(kind):
        check_object(kind, value, place)
    elif kind is float:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(f"{place}: {value!r} is no number")
    elif not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ValueError(f"{place}: {value!r} is no {kind.__name__}")


def check_object(kind, value, place):
    """Whether an object is one of a class."""
    if not isinstance(value, dict):
        raise ValueError(f"{place}: {value!r} is no object")
    if "_schemaURL" in value:
        url = value["_schemaURL"]
        if url not in CLASSES:
            raise ValueError(f"{place}: nothing is published as {url}")
        kind = CLASSES[url]
    hints = typing.get_type_hints(kind)
    fields = {field.name: field for field in attr.fields(kind)}
    for name, item in value.items():
        if name in OF_EVERY_FACET or (name == "schemaURL" and item == kind._get_schema()):
            continue
        if name not in fields:
            raise ValueError(f"{place}: {kind.__name__} has no `{name}`")
        if name in FACETS:
            for facet, body in item.items():
                if "_schemaURL" not in body or "_producer" not in body:
                    raise ValueError(f"{place}.{name}.{facet}: who makes it, and after which schema?")
                check_object(base.BaseFacet, body, f"{place}.{name}.{facet}")
        else:
            check(hints[name], item, f"{place}.{name}")
    for name, field in fields.items():
        if field.default is attr.NOTHING and field.init and name not in value:
            raise ValueError(f"{place}: `{name}` of {kind.__name__} is missing")


events, facets = 0, 0
with open(sys.argv[1], encoding="utf-8") as lines:
    for number, line in enumerate(lines, 1):
        event = json.loads(line)
        check_object(base.RunEvent, event, f"line {number}")
        # The class itself, which looks at times and identifiers.
        base.RunEvent(
            eventTime=event["eventTime"],
            producer=event["producer"],
            eventType=base.EventType(event["eventType"]),
            run=base.Run(runId=event["run"]["runId"]),
            job=base.Job(namespace=event["job"]["namespace"], name=event["job"]["name"]),
        )
        events += 1
        facets += line.count('"_schemaURL"')
print(f"{events} events with {facets} facets")
