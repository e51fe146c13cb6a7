"""Envoy's messages as it reads them: what the other modules here write as JSON, encoded as Protocol Buffers.

The descriptors are data (``scripts/make_envoy_messages.py``). Their classes are made at run time and known to nobody
else, so that no other package's messages of the same names can be in the way.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

from google.protobuf import json_format
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from calico_lab.local.wire import JsonObject

# Its fields depend on the type, which only the descriptors tell.
Message = Any


@cache
def _pool() -> DescriptorPool:
    content = resources.files(__package__).joinpath("messages.binpb").read_bytes()
    pool = DescriptorPool()
    for file in FileDescriptorSet.FromString(content).file:
        pool.Add(file)
    return pool


@cache
def message_class(name: str) -> Message:
    """Return the class of a message type under ``envoy.``. Raises ``KeyError`` for one that has no descriptor."""
    return GetMessageClass(_pool().FindMessageTypeByName(f"envoy.{name}"))


def message(name: str, fields: JsonObject) -> Message:
    """Return a message of a type under ``envoy.``, given as its JSON.

    Raises ``google.protobuf.json_format.ParseError`` for what is not one.
    """
    return json_format.ParseDict(fields, message_class(name)(), descriptor_pool=_pool())


def as_json(content: Message) -> JsonObject:
    """Return the JSON of a message; 64-bit integers are texts there (https://protobuf.dev/programming-guides/json)."""
    found: JsonObject = json_format.MessageToDict(content, preserving_proto_field_name=True, descriptor_pool=_pool())
    return found


def encoded(content: Message) -> bytes:
    """Return the bytes of a message, which are the same for the same message."""
    found: bytes = content.SerializeToString(deterministic=True)
    return found
