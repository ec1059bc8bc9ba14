"""A server process, and calls on it made of what its reflection tells: no generated code."""

import json
import os
import pathlib
import subprocess
import tempfile
import threading

import grpc
from google.protobuf import descriptor_pool, json_format, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

LONG = 30
ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("INDICATORD", ROOT / "target" / "debug" / "indicatord")

CATALOG = [
    {"region": {"id": "CN", "level": "country", "names": {"en": "China", "zh": "中国"}}},
    {"region": {"id": "CN-SD", "parent": "CN", "level": "province", "names": {"en": "Shandong", "zh": "山东"}}},
    {"source": {"id": "bureau", "kind": "department", "names": {"en": "Bureau"}}},
    {"unit": {"id": "{station}", "kind": "UNIT_KIND_COUNT", "names": {"en": "stations"}}},
    {"indicator": {"id": "5g-base-stations", "unit": "{station}", "names": {"en": "5G base stations"}}},
]
SERIES = {"indicator": "5g-base-stations", "region": "CN-SD", "source": "bureau"}


class Server:
    """indicatord over a fresh directory, on a free port."""

    def __init__(self):
        self.directory = tempfile.TemporaryDirectory()
        command = [BINARY, "serve", "--data", f"{self.directory.name}/data", "--listen", "127.0.0.1:0"]
        command += ["--admin-listen", "off", "--log-format", "json"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        self.address = self._address()
        # The log is read on, so that the server never waits for a reader.
        self.log = threading.Thread(target=self.process.stderr.read, daemon=True)
        self.log.start()

    def _address(self):
        watchdog = threading.Timer(LONG, self.process.kill)
        watchdog.start()
        try:
            for line in self.process.stderr:
                fields = json.loads(line)["fields"]
                if fields["message"] == "listening":
                    return fields["address"]
        finally:
            watchdog.cancel()
        raise RuntimeError("indicatord ended before it listened")

    def stop(self):
        """Asks it to stop; a second time would stop it at once."""
        self.process.terminate()
        return self.process.wait(LONG)

    def remove(self):
        self.process.kill()
        self.process.wait()
        self.log.join()
        self.process.stderr.close()
        self.directory.cleanup()


class Client:
    """Calls methods by name, with messages as JSON."""

    def __init__(self, address):
        self.channel = grpc.insecure_channel(address)
        self.database = ProtoReflectionDescriptorDatabase(self.channel)
        self.pool = descriptor_pool.DescriptorPool(self.database)

    def call(self, method, request=None):
        """`method` is "Service.Method" of the package; a stream is answered as an iterator."""
        service, _, name = method.partition(".")
        descriptor = self.pool.FindServiceByName(f"indicator.v1.{service}").FindMethodByName(name)
        message = json_format.ParseDict(request or {}, self._class(descriptor.input_type)())
        arity = self.channel.unary_stream if descriptor.server_streaming else self.channel.unary_unary
        remote = arity(
            f"/indicator.v1.{service}/{name}",
            request_serializer=lambda m: m.SerializeToString(),
            response_deserializer=self._class(descriptor.output_type).FromString,
        )
        answer = remote(message, timeout=LONG)
        if descriptor.server_streaming:
            return (self._json(m) for m in answer)
        return self._json(answer)

    def details(self, error):
        """The details of an error as JSON, decoded by what reflection tells of google.rpc."""
        trailer = dict(error.trailing_metadata())["grpc-status-details-bin"]
        status = self._class(self.pool.FindMessageTypeByName("google.rpc.Status")).FromString(trailer)
        types = [any_.type_url.rpartition("/")[2] for any_ in status.details]
        details = zip(types, status.details, strict=True)
        return {
            name.rpartition(".")[2]: self._json(self._class(self.pool.FindMessageTypeByName(name)).FromString(any_.value))
            for name, any_ in details
        }

    @staticmethod
    def _class(descriptor):
        return message_factory.GetMessageClass(descriptor)

    def _json(self, message):
        return json_format.MessageToDict(message, descriptor_pool=self.pool)
