"""Editions of real data sets, loaded one after the other: as of each edition the record is that edition, in every view.

What is expected is told from the files alone, with Python's fractions and decimals.
"""

import csv
import datetime
import pathlib
import unittest
from decimal import ROUND_HALF_EVEN, Context, Decimal
from fractions import Fraction

from indicatord import Client, Server

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "vintages"

# 28 significant digits, halves to even: as analytics.proto says.
FIGURE = Context(prec=28, rounding=ROUND_HALF_EVEN)
LEAST = Decimal(1).scaleb(-28)
LONG = Context(prec=200)


def plain(number):
    """The canonical text of a decimal."""
    text = format(number, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) if number else "0"


def figure(number):
    """The canonical text of a number of 28 digits: no figure has more than 28 decimal places."""
    return plain(number.quantize(LEAST, context=FIGURE) if number.as_tuple().exponent < -28 else number)


def rounded(fraction):
    return figure(FIGURE.divide(Decimal(fraction.numerator), Decimal(fraction.denominator)))


def root(fraction):
    return figure(FIGURE.sqrt(LONG.divide(Decimal(fraction.numerator), Decimal(fraction.denominator))))


def day(timestamp):
    return timestamp.removesuffix("T00:00:00Z")


def changes(before, after):
    """From one state of a series to the next: inserted, revised and withdrawn periods."""
    inserted = {p: after[p] for p in after if p not in before}
    revised = {p: after[p] for p in after if p in before and after[p] != before[p]}
    return inserted, revised, {p: None for p in before if p not in after}


class Editions:
    """Tests of one data set; one server for all of them."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.remove)
        cls.client = Client(cls.server.address)
        cls.addClassCleanup(cls.client.channel.close)
        cls.read()
        cls.write()

    @classmethod
    def read(cls):
        """By edition, series, period."""
        cls.editions = {}
        with (FIXTURES / f"{cls.name}.csv").open(newline="") as file:
            for row in csv.DictReader(file):
                edition = cls.editions.setdefault(row["edition"], {})
                series = edition.setdefault((row["indicator"], row["region"]), {})
                series[row["period"]] = plain(Decimal(row["value"]))
        cls.series = sorted({series for edition in cls.editions.values() for series in edition})

    @classmethod
    def write(cls):
        entries = [
            {"source": {"id": "s", "kind": "report", "names": {"en": "S"}}},
            {"unit": {"id": "1", "kind": "UNIT_KIND_COUNT", "names": {"en": "number"}}},
        ]
        entries += [{"region": {"id": id_, "level": "country", "names": {"en": id_}}} for id_ in sorted({r for _, r in cls.series})]
        entries += [{"indicator": {"id": id_, "unit": "1", "names": {"en": id_}}} for id_ in sorted({i for i, _ in cls.series})]
        cls.client.call("CatalogService.ApplyCatalog", {"actions": [{"upsert": entry} for entry in entries]})
        cls.revisions = {}
        before = {}
        for date in sorted(cls.editions):
            edition = cls.editions[date]
            published = {"publishedAt": f"{date}T00:00:00Z", "omitChanges": True}
            figures = [
                {"series": cls.key(series), "period": period, "value": value}
                for series, cells in edition.items()
                for period, value in cells.items()
            ]
            written = cls.client.call(
                "ObservationService.WriteObservations", {"changes": figures, "mode": "WRITE_MODE_REPLACE", **published}
            )
            # A replacement leaves the series alone that an edition has not at all.
            gone = [{"series": cls.key(series)} for series in before if series not in edition]
            if gone:
                request = {"changes": gone, "mode": "WRITE_MODE_DELETE", **published}
                written = cls.client.call("ObservationService.WriteObservations", request)
            cls.revisions[date] = written["revision"]
            before = edition

    @staticmethod
    def key(series):
        return {"indicator": series[0], "region": series[1], "source": "s"}

    def history(self, series):
        """The states of a series, by the date of each edition that changed it."""
        history, before = {}, {}
        for date in sorted(self.editions):
            after = self.editions[date].get(series, {})
            if after != before:
                history[date] = after
            before = after
        return history

    def steps(self, series):
        """What each edition changed."""
        history = self.history(series)
        befores = [{}, *history.values()]
        return {date: changes(before, after) for (date, after), before in zip(history.items(), befores)}

    def query(self, as_of):
        answer = {}
        for message in self.client.call("ObservationService.QueryObservations", {"filter": {"allSources": True}, "asOf": as_of}):
            if "chunk" in message:
                key = message["chunk"]["series"]
                cells = answer.setdefault((key["indicator"], key["region"]), {})
                cells.update((o["period"], o["value"]) for o in message["chunk"]["observations"])
        return answer

    def pages(self, method, items, request):
        token, all_ = "", []
        while True:
            page = self.client.call(method, {**request, "pageToken": token})
            all_ += page.get(items, [])
            token = page.get("nextPageToken", "")
            if not token:
                return all_

    def vintages(self, series, view, **more):
        request = {"series": self.key(series), "view": f"VINTAGE_VIEW_{view}", "pageSize": 700, **more}
        return self.pages("ObservationService.ListVintages", "vintages", request)

    def by_date(self, vintages):
        """By vintage date, the values by period; `None` is a withdrawal."""
        told = {}
        for vintage in vintages:
            observation = vintage["observation"]
            told.setdefault(day(vintage["vintageDate"]), {})[observation["period"]] = observation.get("value")
        return told

    def test_as_of_each_edition_the_record_is_that_edition(self):
        compared = 0
        for date, edition in self.editions.items():
            self.assertEqual(self.query({"publishedAt": f"{date}T00:00:00Z"}), edition, date)
            self.assertEqual(self.query({"revision": self.revisions[date]}), edition, date)
            compared += sum(map(len, edition.values()))
        self.assertEqual(compared, self.figures)

    def test_by_vintage_each_series_is_that_of_each_edition(self):
        for series in self.series:
            history = {date: state for date, state in self.history(series).items() if state}
            self.assertEqual(self.by_date(self.vintages(series, "ALL_BY_VINTAGE")), history, series)
            recorded = self.by_date(self.vintages(series, "ALL_BY_VINTAGE", axis="VINTAGE_AXIS_RECORDED"))
            self.assertEqual(list(recorded.values()), list(history.values()), series)

    def test_what_is_new_or_revised_leads_from_each_edition_to_the_next(self):
        kinds = {"CHANGE_KIND_INSERTED": 0, "CHANGE_KIND_REVISED": 1, "CHANGE_KIND_DELETED": 2}
        for series in self.series:
            told = {}
            for vintage in self.vintages(series, "NEW_OR_REVISED"):
                step = told.setdefault(day(vintage["vintageDate"]), ({}, {}, {}))
                step[kinds[vintage["vintageKind"]]][vintage["observation"]["period"]] = vintage["observation"].get("value")
            self.assertEqual(told, self.steps(series), series)

    def test_vintage_dates_are_counted(self):
        for series in self.series:
            request = {"series": self.key(series), "pageSize": 20}
            dates = self.pages("ObservationService.ListVintageDates", "dates", request)
            told = {day(d["date"]): tuple(d.get(kind, 0) for kind in ["inserted", "revised", "deleted"]) for d in dates}
            counted = {date: tuple(map(len, step)) for date, step in self.steps(series).items()}
            self.assertEqual(told, counted, series)

    def test_limits_select_vintage_dates(self):
        dates = sorted(self.editions)
        first, last = dates[len(dates) // 3], dates[2 * len(dates) // 3]
        limits = {"startDate": f"{first}T00:00:00Z", "endDate": f"{last}T00:00:00Z"}
        for series in self.series:
            expected = {date: state for date, state in self.history(series).items() if first <= date <= last and state}
            self.assertEqual(self.by_date(self.vintages(series, "ALL_BY_VINTAGE", **limits)), expected, series)

    def first_prints(self, series):
        """By period, the edition that was the first to have it, and the value there."""
        first = {}
        for date in sorted(self.editions):
            for period, value in self.editions[date].get(series, {}).items():
                first.setdefault(period, (date, value))
        return first

    def test_initial_releases_are_the_first_figures(self):
        for series in self.series:
            told = {
                v["observation"]["period"]: (day(v["vintageDate"]), v["observation"]["value"])
                for v in self.vintages(series, "INITIAL_RELEASE")
            }
            self.assertEqual(told, self.first_prints(series), series)

    def test_each_version_was_valid_from_one_edition_to_the_next(self):
        for series in self.series:
            expected, open_ = set(), {}
            for date, step in self.steps(series).items():
                for period, value in {**step[0], **step[1], **step[2]}.items():
                    if period in open_:
                        expected.add((period, *open_[period], date))
                    open_[period] = (value, date)
            expected |= {(period, *version, None) for period, version in open_.items()}
            told = set()
            for vintage in self.vintages(series, "REAL_TIME_PERIODS"):
                observation = vintage["observation"]
                until = vintage.get("publishedUntil")
                self.assertEqual(vintage.get("current", False), until is None)
                self.assertEqual("recordedUntil" in vintage, until is not None)
                told.add((observation["period"], observation.get("value"), day(observation["publishedAt"]), until and day(until)))
            self.assertEqual(told, expected, series)

    def test_revision_statistics_are_those_of_the_files(self):
        for series in self.series:
            answer = self.client.call("AnalyticsService.GetRevisionStatistics", {"series": self.key(series)})
            statistics, most = self.expected_statistics(series)
            told = answer.get("statistics")
            self.assertEqual(told and {field: told.get(field, "") for field in statistics}, statistics, series)
            revised = [
                (cell["first"]["period"], cell["revision"], cell["revisionPercent"]) for cell in answer.get("mostRevised", [])
            ]
            self.assertEqual(revised, most, series)

    def expected_statistics(self, series):
        first = self.first_prints(series)
        latest = self.editions[max(self.editions)].get(series, {})
        cells = {p: (Fraction(first[p][1]), Fraction(latest[p])) for p in sorted(first) if p in latest}
        if not cells:
            return None, []
        revisions = {p: new - old for p, (old, new) in cells.items()}
        n, mean = len(cells), sum(revisions.values()) / len(cells)
        # Of each cell, the days from its first print to the last other value.
        days, told = {}, {}
        for date, state in self.history(series).items():
            for period in cells.keys() & state.keys():
                if told.setdefault(period, state[period]) != state[period]:
                    since = datetime.date.fromisoformat(date) - datetime.date.fromisoformat(first[period][0])
                    days[period], told[period] = since.days, state[period]
        ordered = sorted(days.values())
        sizes = sum(abs(new) for _, new in cells.values())
        deviation = root(sum((r - mean) ** 2 for r in revisions.values()) / (n - 1)) if n > 1 else ""
        statistics = {
            "cells": n,
            "excluded": len(first) - n if len(first) > n else "",
            "shareRevised": rounded(Fraction(100 * len(days), n)),
            "meanRevision": rounded(mean),
            "meanAbsoluteRevision": rounded(sum(map(abs, revisions.values())) / n),
            "relativeMeanAbsoluteRevision": rounded(sum(map(abs, revisions.values())) / sizes * 100) if sizes else "",
            "standardDeviation": deviation,
            "leastRevision": rounded(min(revisions.values())),
            "greatestRevision": rounded(max(revisions.values())),
            "shareUpward": rounded(Fraction(100 * sum(r > 0 for r in revisions.values()), n)),
            "medianDaysToLatest": rounded(Fraction(ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2], 2)) if days else "",
        }
        percents = {p: r / abs(cells[p][1]) * 100 for p, r in revisions.items() if r}
        most = sorted(percents, key=lambda p: -abs(percents[p]))[:10]
        return statistics, [(p, rounded(revisions[p]), rounded(percents[p])) for p in most]


class WorldBank(Editions, unittest.TestCase):
    """Years that vanish and come back, series that end, and an edition that was wrong for a day."""

    name, figures = "world-bank", 719


class Reviser(Editions, unittest.TestCase):
    """89 quarterly editions of four economies."""

    name, figures = "reviser", 2505


class Nowcast(Editions, unittest.TestCase):
    """29 series, day by day."""

    name, figures = "nowcast", 2006


if __name__ == "__main__":
    unittest.main()
