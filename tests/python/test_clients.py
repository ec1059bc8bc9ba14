"""Clients that know nothing of the service but its reflection: Python's grpcio, and grpcurl."""

import json
import pathlib
import subprocess
import sys
import unittest

import grpc
from indicatord import CATALOG, LONG, SERIES, Client, Server

GRPCURL = pathlib.Path(sys.executable).with_name("grpcurl")


class TestCase(unittest.TestCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.remove)

    def upserts(self):
        return {"actions": [{"upsert": entry} for entry in CATALOG]}

    def figure(self, period, value, **more):
        return {"series": SERIES, "period": period, "value": value, **more}


class Reflection(TestCase):
    def setUp(self):
        super().setUp()
        self.client = Client(self.server.address)
        self.addCleanup(self.client.channel.close)

    def fill(self):
        self.client.call("CatalogService.ApplyCatalog", self.upserts())
        changes = [self.figure("2020", "90000"), self.figure("2021-12-06", "100000", bound="BOUND_GREATER_THAN")]
        return self.client.call("ObservationService.WriteObservations", {"changes": changes})

    def test_all_services_are_listed(self):
        services = self.client.database.get_services()
        for name in ["AdminService", "CatalogService", "ObservationService", "WatchService"]:
            self.assertIn(f"indicator.v1.{name}", services)

    def test_what_is_written_is_read(self):
        self.assertEqual(self.fill()["inserted"], 2)
        read = self.client.call("ObservationService.GetObservation", {"series": {**SERIES, "source": ""}})
        observation = read["observation"]
        told = (observation["period"], observation["value"], observation["bound"], observation["series"])
        self.assertEqual(told, ("2021-12-06", "100000", "BOUND_GREATER_THAN", SERIES))
        hits = self.client.call("CatalogService.SearchCatalog", {"query": "山东"})["hits"]
        self.assertEqual(hits[0]["entry"]["region"]["id"], "CN-SD")

    def test_a_query_is_a_header_chunks_and_a_summary(self):
        self.fill()
        filter_ = {"regions": ["CN"], "includeSubregions": True}
        header, chunk, summary = self.client.call("ObservationService.QueryObservations", {"filter": filter_})
        self.assertEqual(header["header"]["revision"], "2")
        self.assertEqual([o["value"] for o in chunk["chunk"]["observations"]], ["90000", "100000"])
        self.assertEqual(summary["summary"]["observations"], "2")

    def test_a_watch_gives_the_snapshot_and_then_what_changes(self):
        self.fill()
        watch = self.client.call("WatchService.Watch", {"includePrevious": True})
        self.assertEqual(next(watch)["opened"]["outcome"], "WATCH_OUTCOME_SNAPSHOT")
        self.assertEqual(len(next(watch)["snapshot"]["series"][0]["observations"]), 2)
        self.assertEqual(next(watch)["snapshotEnd"]["observations"], "2")
        token = next(watch)["progress"]["resumeToken"]
        self.client.call("ObservationService.WriteObservations", {"changes": [self.figure("2020", "95000")]})
        change = next(watch)["changes"]["events"][0]["changes"][0]
        told = (change["kind"], change["previous"]["value"], change["observation"]["value"])
        self.assertEqual(told, ("CHANGE_KIND_REVISED", "90000", "95000"))
        again = self.client.call("WatchService.Watch", {"includePrevious": True, "resumeToken": token})
        resumed = [next(again) for _ in range(3)]
        self.assertEqual(resumed[-1]["changes"]["events"][0]["changes"][0], change)

    def test_an_error_tells_every_problem_in_its_details(self):
        self.fill()
        changes = [self.figure("2021-Q5", "1e9"), {**self.figure("2020", "1"), "series": {**SERIES, "region": "CN-XX"}}]
        with self.assertRaises(grpc.RpcError) as raised:
            self.client.call("ObservationService.WriteObservations", {"changes": changes})
        self.assertEqual(raised.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)
        details = self.client.details(raised.exception)
        info = details["ErrorInfo"]
        self.assertEqual((info["domain"], info["reason"]), ("indicator.v1", "INVALID_REQUEST"))
        violations = {(v["field"], v["reason"]) for v in details["BadRequest"]["fieldViolations"]}
        expected = {
            ("changes[0].period", "INVALID_PERIOD"),
            ("changes[0].value", "INVALID_DECIMAL"),
            ("changes[1].series.region", "UNKNOWN_REGION"),
        }
        self.assertEqual(violations, expected)

    def test_a_stop_is_told_on_an_open_watch(self):
        watch = self.client.call("WatchService.Watch")
        self.assertIn("opened", next(watch))
        self.assertEqual(self.server.stop(), 0)
        *_, last = watch
        self.assertTrue(last["closing"]["resumeToken"])


class Grpcurl(TestCase):
    def grpcurl(self, method=None, request=None):
        call = ["-max-time", str(LONG), "-d", "@", self.server.address, method] if method else [self.server.address, "list"]
        return subprocess.run(
            [GRPCURL, "-plaintext", *call], input=json.dumps(request), capture_output=True, text=True, timeout=2 * LONG
        )

    def call(self, method, request):
        done = self.grpcurl(f"indicator.v1.{method}", request)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_it_lists_writes_and_reads(self):
        self.assertIn("indicator.v1.ObservationService", self.grpcurl().stdout.split())
        self.call("CatalogService.ApplyCatalog", self.upserts())
        written = self.call("ObservationService.WriteObservations", {"changes": [self.figure("2020", "90000")]})
        self.assertEqual((written["revision"], written["inserted"]), ("2", 1))
        read = self.call("ObservationService.GetObservation", {"series": SERIES, "period": "2020"})
        self.assertEqual(read["observation"]["value"], "90000")
        health = self.grpcurl("grpc.health.v1.Health/Check", {})
        self.assertEqual(json.loads(health.stdout), {"status": "SERVING"})
        health = self.grpcurl("grpc.health.v1.Health/List", {})
        self.assertEqual(json.loads(health.stdout)["statuses"]["writes"], {"status": "SERVING"})

    def test_it_shows_the_details_of_an_error(self):
        done = self.grpcurl("indicator.v1.ObservationService.WriteObservations", {"changes": [self.figure("2020", "1")]})
        self.assertNotEqual(done.returncode, 0)
        for text in ["InvalidArgument", "google.rpc.ErrorInfo", "google.rpc.BadRequest", "UNKNOWN_INDICATOR"]:
            self.assertIn(text, done.stderr)

    def test_it_watches_changes_as_they_happen(self):
        self.call("CatalogService.ApplyCatalog", self.upserts())
        command = [GRPCURL, "-plaintext", "-max-time", str(LONG), "-d", "{}", self.server.address, "indicator.v1.WatchService.Watch"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watch:
            self.addCleanup(watch.kill)
            messages = self.messages(watch.stdout)
            self.assertIn("opened", next(messages))
            while "progress" not in next(messages):
                pass
            self.call("ObservationService.WriteObservations", {"changes": [self.figure("2020", "90000")]})
            change = next(messages)["changes"]["events"][0]["changes"][0]
            self.assertEqual((change["kind"], change["observation"]["value"]), ("CHANGE_KIND_INSERTED", "90000"))
            self.assertEqual(self.server.stop(), 0)
            *_, last = messages
            self.assertIn("closing", last)
            self.assertEqual(watch.wait(LONG), 0)

    @staticmethod
    def messages(lines):
        """The messages of a stream, each of several lines."""
        text = ""
        for line in lines:
            text += line
            if line.rstrip() == "}":
                yield json.loads(text)
                text = ""


if __name__ == "__main__":
    unittest.main()
