// A record to look at: the built-in data set, and a regional product with all that a figure can be.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

const data = new URL("../../../server/data/", import.meta.url).pathname;

const CATALOG = `
[[source]]
id = "nbs"
names = { en = "National Bureau of Statistics", zh = "国家统计局" }
kind = "department"
region = "CN"
precedence = 5

[[indicator]]
id = "regional-gdp"
names = { en = "Gross regional product", zh = "地区生产总值" }
descriptions = { en = "Value added of all residents, at current prices.", zh = "按现价计算的全部常住单位增加值。" }
unit = "CNY"
topic = "national-accounts"
time_aggregation = "sum"
region_aggregation = "sum"
`;

// Trillions of yuan from 2010, as of three editions. The last figure of each is provisional.
const EDITIONS = {
  "2016-01-31": { "CN-SD": [3.39, 3.9, 4.29, 4.73, 5.08, 5.53], "CN-JS": [4.14, 4.86, 5.37, 5.93, 6.48, 7.13] },
  "2019-01-31": { "CN-SD": [3.39, 3.9, 4.29, 4.73, 5.08, 5.53, 5.88, 6.3, 6.66], "CN-JS": [4.14, 4.86, 5.37, 5.93, 6.48, 7.13, 7.74, 8.59, 9.32] },
  "2021-01-31": {
    "CN-SD": [3.39, 3.9, 4.29, 4.73, 5.08, 5.53, 5.88, 6.3, 6.66, 7.05, 7.28],
    "CN-JS": [4.14, 4.86, 5.37, 5.93, 6.48, 7.13, 7.74, 8.59, 9.32, 9.87, 10.28],
    "CN-ZJ": [2.74, 3.19, 3.44, 3.73, 4.0, 4.35, 4.73, 5.24, 5.8, 6.25, 6.47],
    "CN-GD": [4.6, 5.32, 5.71, 6.25, 6.78, 7.45, 8.22, 9.16, 9.99, 10.8, 11.12],
    "CN-BJ": [1.5, 1.72, 1.9, 2.11, 2.29, 2.48, 2.7, 2.99, 3.31, 3.54, 3.59],
  },
};

/// Applies a catalog.
export async function catalog(server, text) {
  const file = join(server.directory, "catalog.toml");
  await writeFile(file, text);
  await server.indicator("catalog", "apply", file);
}

/// Imports figures.
export async function figures(server, text, ...flags) {
  const file = join(server.directory, "figures.csv");
  await writeFile(file, text);
  await server.indicator("import", file, ...flags);
}

/// Writes the built-in data set alone: the ten figures of Shandong.
export async function builtIn(server) {
  await server.indicator("catalog", "apply", join(data, "regions.toml"), join(data, "shandong.toml"));
  await server.indicator("import", join(data, "shandong.csv"), "--reason", "as reported");
}

/// And a regional product with vintages, a discrepancy, an interval, a missing figure, bounds, and provisional ones.
export async function full(server) {
  await builtIn(server);
  await catalog(server, CATALOG);
  const rows = ["indicator,region,source,period,value,bound,lower,upper,missing,statuses,rounded_to,original_text,published_at"];
  for (const [day, regions] of Object.entries(EDITIONS)) {
    for (const [region, series] of Object.entries(regions)) {
      series.forEach((trillions, i) => {
        const status = i === series.length - 1 ? "provisional" : "";
        const value = BigInt(Math.round(trillions * 100)) * 10_000_000_000n;
        rows.push(`regional-gdp,${region},nbs,${2010 + i},${value},,,,,${status},10000000000,,${day}`);
      });
    }
  }
  rows.push("regional-gdp,CN-SD,local-media,2019,7800000000000,,,,,,,nearly 8 trillion yuan,2020-02-01");
  rows.push("regional-gdp,CN-HE,nbs,2018,,,3000000000000,3400000000000,,,,between 3 and 3.4 trillion yuan,2020-02-01");
  rows.push("regional-gdp,CN-HE,nbs,2019,,,,,suppressed,,,,2020-02-01");
  rows.push("regional-gdp,CN-HE,nbs,2020,3600000000000,greater-than,,,,provisional,,more than 3.6 trillion yuan,2021-02-01");
  await figures(server, rows.join("\n"), "--reason", "editions of the yearbook", "--actor", "statistician");
  const later = [rows[0]];
  later.push("regional-gdp,CN-GD,nbs,2012,,,,,suppressed,,,,2021-02-01");
  later.push("regional-gdp,CN-GD,nbs,2015,7400000000000,greater-than,,,,,,more than 7.4 trillion yuan,2021-02-01");
  later.push("regional-gdp,CN-GD,nbs,2017,,,9000000000000,9300000000000,,,,between 9 and 9.3 trillion yuan,2021-02-01");
  later.push("regional-gdp,CN-GD,nbs,2018,10000000000000,approximate,,,,,,about 10 trillion yuan,2021-02-01");
  await figures(server, later.join("\n"), "--reason", "after the census", "--actor", "statistician");
}

/// Every screen of the display over such a record: name and path.
export const SCREENS = {
  overview: "/regions/CN-SD",
  indicator: "/regions/CN-SD/regional-gdp?with=CN-JS,CN-GD&vintages=2016-01-31",
  "past state": "/regions/CN-SD/regional-gdp?as_of=2019-01-31",
  bars: "/regions/CN-HE/regional-gdp",
  ranking: "/rankings/regional-gdp",
  changes: "/changes",
  search: "/search?q=5G",
  "error page": "/regions/CN-SD?as_of=x",
  "not found": "/regions/nowhere",
  wall: "/regions/CN-SD?wall",
};

/// An address in a language.
export function inLanguage(path, language) {
  return `${path}${path.includes("?") ? "&" : "?"}lang=${language}`;
}
