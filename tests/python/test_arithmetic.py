"""What the service computes, against Python's decimal module: other code, other formulas written down, the same numbers."""

import calendar
import csv
import datetime
import pathlib
import random
import unittest
from decimal import ROUND_HALF_EVEN, Context, Decimal, setcontext

from indicatord import Client, Server

FIXTURE = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "gapminder" / "excerpt.csv"
INDICATORS = {
    "income_per_person_long_series": "{dollar}",
    "total_population_with_projections": "{person}",
    "urban_population": "{person}",
    "total_gdp_us_inflation_adjusted": "USD",
    "total_gdp_ppp_inflation_adjusted": "{dollar}",
}

# 28 significant digits, halves to even: as transform.proto says.
setcontext(Context(prec=28, rounding=ROUND_HALF_EVEN))


LEAST = Decimal(1).scaleb(-28)


def over(a, b):
    """The quotient: no figure has more than 28 decimal places."""
    quotient = a / b
    return quotient.quantize(LEAST) if quotient.as_tuple().exponent < -28 else quotient


def plain(number):
    """The canonical text of a decimal."""
    text = format(number, "f")
    return (text.rstrip("0").rstrip(".") if "." in text else text) if number else "0"


def catalog(regions, units, indicators):
    entries = [{"source": {"id": "s", "kind": "report", "names": {"en": "S"}}}]
    entries += [{"region": {"id": id_, "parent": parent, "level": level, "names": {"en": id_}}} for id_, parent, level in regions]
    entries += [{"unit": {"names": {"en": unit["id"]}, **unit}} for unit in units]
    entries += [{"indicator": {"names": {"en": entry["id"]}, **entry}} for entry in indicators]
    return {"actions": [{"upsert": entry} for entry in entries]}


class Computed(unittest.TestCase):
    """One server for all tests of a class; they only read."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.remove)
        cls.client = Client(cls.server.address)
        cls.addClassCleanup(cls.client.channel.close)
        cls.fill()

    @classmethod
    def write(cls, figures):
        """Figures by (indicator, region), each a dict of period and number."""
        changes = [
            {"series": {"indicator": i, "region": r, "source": "s"}, "period": period, "value": plain(number)}
            for (i, r), cells in figures.items()
            for period, number in cells.items()
        ]
        cls.client.call("ObservationService.WriteObservations", {"changes": changes, "omitChanges": True})

    def computed(self, indicator, *steps, frequency=None):
        """What is computed: by region, the value or the missing reason of each period."""
        filter_ = {"indicators": [indicator], **({"frequency": frequency} if frequency else {})}
        request = {"filter": filter_, "transforms": list(steps)}
        answer = {}
        for message in self.client.call("ObservationService.QueryObservations", request):
            if "chunk" in message:
                cells = answer.setdefault(message["chunk"]["series"]["region"], {})
                for observation in message["chunk"]["observations"]:
                    cells[observation["period"]] = observation.get("value", observation.get("missing"))
        return answer

    def assert_computed(self, expected, actual, series):
        """`expected` has None for what cannot be computed."""
        told = {
            region: {period: "MISSING_REASON_NOT_AVAILABLE" if n is None else plain(n) for period, n in cells.items()}
            for region, cells in expected.items()
        }
        self.assertEqual(len(told), series)
        self.assertEqual(told, actual)


class OfARealDataSet(Computed):
    """Year on year, index, growth and proportions of 100 series of Gapminder."""

    @classmethod
    def fill(cls):
        cls.figures = {}
        with FIXTURE.open(newline="") as file:
            for row in csv.DictReader(file):
                series = cls.figures.setdefault((row["indicator"], row["geo"].upper()), {})
                series[row["time"]] = Decimal(row["value"])
        regions = [(region, "", "country") for region in sorted({region for _, region in cls.figures})]
        units = [{"id": unit, "kind": "UNIT_KIND_COUNT"} for unit in ["{dollar}", "{person}"]]
        units.append({"id": "USD", "kind": "UNIT_KIND_CURRENCY"})
        indicators = [{"id": id_, "unit": unit} for id_, unit in INDICATORS.items()]
        cls.client.call("CatalogService.ApplyCatalog", catalog(regions, units, indicators))
        cls.write(cls.figures)

    def of(self, indicator, compute):
        """`compute` is given the cells of a series and a period."""
        return {
            region: {period: compute(cells, period) for period in cells}
            for (id_, region), cells in self.figures.items()
            if id_ == indicator
        }

    @staticmethod
    def with_before(compute):
        def each(cells, period):
            before = cells.get(str(int(period) - 1))
            return None if before is None else compute(cells[period], before)

        return each

    def test_the_fixture_has_100_series(self):
        self.assertEqual(len(self.figures), 100)

    def test_year_on_year_of_every_series(self):
        step = {"percentChange": {"span": "CHANGE_SPAN_YEAR"}}
        for indicator in INDICATORS:
            expected = self.of(indicator, self.with_before(lambda now, before: (over(now, before) - 1) * 100))
            self.assert_computed(expected, self.computed(indicator, step), 20)

    def test_index_of_every_series(self):
        for indicator in INDICATORS:
            expected = self.of(indicator, lambda cells, period: over(cells[period], cells["2010"]) * 100)
            self.assert_computed(expected, self.computed(indicator, {"indexTo": {"basePeriod": "2010"}}), 20)

    def test_logarithmic_growth_of_every_series(self):
        for indicator in INDICATORS:
            expected = self.of(indicator, self.with_before(lambda now, before: (now.ln() - before.ln()) * 100))
            self.assert_computed(expected, self.computed(indicator, {"continuouslyCompounded": {}}), 20)

    def test_rolling_means(self):
        def mean(cells, period):
            window = [cells.get(str(year)) for year in range(int(period) - 4, int(period) + 1)]
            return None if None in window else sum(window) / 5

        for indicator in INDICATORS:
            self.assert_computed(self.of(indicator, mean), self.computed(indicator, {"rolling": {"periods": 5}}), 20)

    def test_figures_per_head(self):
        population = {region: cells for (id_, region), cells in self.figures.items() if id_ == "total_population_with_projections"}
        step = {"perUnit": {"indicator": "total_population_with_projections"}}
        answer = self.computed("total_gdp_us_inflation_adjusted", step)
        for (id_, region), cells in self.figures.items():
            if id_ == "total_gdp_us_inflation_adjusted":
                per = {p: None if p not in population[region] else over(n, population[region][p]) for p, n in cells.items()}
                self.assert_computed({region: per}, {region: answer[region]}, 1)

    def test_steps_follow_each_other(self):
        steps = [{"indexTo": {"basePeriod": "2000"}}, {"change": {}}]
        indicator = "urban_population"
        expected = self.of(indicator, self.with_before(lambda now, before: (now, before)))
        for region, cells in expected.items():
            base = self.figures[(indicator, region)]["2000"]
            expected[region] = {p: pair and over(pair[0], base) * 100 - over(pair[1], base) * 100 for p, pair in cells.items()}
        self.assert_computed(expected, self.computed(indicator, *steps), 20)


class OfShorterPeriods(Computed):
    """Quarters, months and days: year-to-date figures, frequencies, money."""

    @classmethod
    def fill(cls):
        units = [{"id": unit, "kind": "UNIT_KIND_CURRENCY"} for unit in ["CNY", "USD"]]
        units.append({"id": "CNY/USD", "kind": "UNIT_KIND_RATIO", "numerator": "CNY", "denominator": "USD"})
        indicators = [
            {"id": "sales", "unit": "CNY", "timeAggregation": "TIME_AGGREGATION_SUM"},
            {"id": "rate", "unit": "CNY/USD"},
        ]
        regions = [("CN", "", "country"), ("CN-SD", "CN", "province"), ("CN-GD", "CN", "province")]
        cls.client.call("CatalogService.ApplyCatalog", catalog(regions, units, indicators))
        dice = random.Random(7)
        months = [f"{year}-{month:02}" for year in range(2018, 2021) for month in range(1, 13)]
        sales = {("sales", region): {m: Decimal(dice.randint(100, 99999)) / 100 for m in months} for region, _, _ in regions}
        cls.sales = {region: cells for (_, region), cells in sales.items()}
        # A gap, and a year that has not ended.
        del cls.sales["CN-GD"]["2019-05"]
        for month in range(10, 13):
            del cls.sales["CN-SD"][f"2020-{month}"]
        days = [datetime.date(2018, 1, 1) + datetime.timedelta(days=n) for n in range(3 * 365 + 1)]
        cls.rates = {str(day): Decimal(dice.randint(60000, 72000)) / 10000 for day in days if day.weekday() < 5}
        cls.write(sales)
        cls.write({("rate", "CN"): cls.rates})

    def test_year_to_date_and_back(self):
        to_date = {}
        for region, cells in self.sales.items():
            to_date[region] = {}
            for period in cells:
                year, month = period.split("-")
                so_far = [cells.get(f"{year}-{m:02}") for m in range(1, int(month) + 1)]
                to_date[region][period] = None if None in so_far else sum(so_far)
        self.assert_computed(to_date, self.computed("sales", {"cumulate": {}}), 3)
        single = {
            region: {p: None if to_date[region][p] is None else n for p, n in cells.items()} for region, cells in self.sales.items()
        }
        self.assert_computed(single, self.computed("sales", {"cumulate": {}}, {"decumulate": {}}), 3)

    def test_months_make_quarters_and_years(self):
        ways = {
            "AGGREGATION_METHOD_SUM": sum,
            "AGGREGATION_METHOD_AVERAGE": lambda numbers: sum(numbers) / len(numbers),
            "AGGREGATION_METHOD_LAST": lambda numbers: numbers[-1],
            "AGGREGATION_METHOD_FIRST": lambda numbers: numbers[0],
            "AGGREGATION_METHOD_MAX": max,
            "AGGREGATION_METHOD_MIN": min,
        }
        longer = {
            "FREQUENCY_ANNUAL": (12, lambda year, month: year),
            "FREQUENCY_QUARTERLY": (3, lambda year, month: f"{year}-Q{(month + 2) // 3}"),
            "FREQUENCY_HALF_YEARLY": (6, lambda year, month: f"{year}-S{(month + 5) // 6}"),
        }
        for frequency, (whole, name) in longer.items():
            for method, compute in ways.items():
                for omit in [False, True]:
                    groups = {region: {} for region in self.sales}
                    for region, cells in self.sales.items():
                        for period, number in cells.items():
                            year, month = period.split("-")
                            groups[region].setdefault(name(year, int(month)), []).append(number)
                    expected = {
                        region: {p: compute(numbers) for p, numbers in cells.items() if len(numbers) == whole or not omit}
                        for region, cells in groups.items()
                    }
                    incomplete = "INCOMPLETE_PERIODS_OMIT" if omit else "INCOMPLETE_PERIODS_MARK"
                    step = {"aggregate": {"frequency": frequency, "method": method, "incomplete": incomplete}}
                    self.assert_computed(expected, self.computed("sales", step), 3)

    def test_money_is_exchanged_at_the_mean_of_the_days_of_its_month(self):
        def rate(period):
            year, month = map(int, period.split("-"))
            days = [datetime.date(year, month, day + 1) for day in range(calendar.monthrange(year, month)[1])]
            known = [self.rates[str(day)] for day in days if str(day) in self.rates]
            return sum(known) / len(known)

        expected = {region: {p: over(n, rate(p)) for p, n in cells.items()} for region, cells in self.sales.items()}
        self.assert_computed(expected, self.computed("sales", {"convert": {"unit": "USD", "exchangeRate": "rate"}}), 3)

    def test_shares_of_the_country(self):
        provinces = {region: cells for region, cells in self.sales.items() if region != "CN"}
        expected = {r: {p: over(n, self.sales["CN"][p]) * 100 for p, n in cells.items()} for r, cells in provinces.items()}
        self.assert_computed(expected, self.computed("sales", {"shareOfRegion": {}}), 2)

    def test_annual_rates(self):
        def annual(cells, period):
            year, month = map(int, period.split("-"))
            before = cells.get(f"{year}-{month - 1:02}" if month > 1 else f"{year - 1}-12")
            return None if before is None else (over(cells[period], before) ** 12 - 1) * 100

        expected = {region: {period: annual(cells, period) for period in cells} for region, cells in self.sales.items()}
        self.assert_computed(expected, self.computed("sales", {"compoundedAnnualRate": {}}), 3)


if __name__ == "__main__":
    unittest.main()
