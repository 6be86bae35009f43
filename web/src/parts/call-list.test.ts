import { expect, it } from "vitest";
import { type AtRisk, callList } from "./call-list";
import { type FileFormat, formatOf, rememberedFormat } from "./file-format";
import type { FeatureSchema } from "./schema";

const schema = {
  id: { label: "Customer" },
  group: "plan",
  columns: [{ name: "plan", label: "Plan" }],
  money: { currency: "EUR" },
} as unknown as FeatureSchema;

const customer = {
  customer_id: "=1+1",
  group: "basic",
  probability: 0.91,
  level: "critical",
  change: -0.02,
  price: 8.1,
  value_at_risk: 97.2,
  reasons: [{ text: "0 devices in use: +5 points" }, { text: "on the basic plan, monthly: -3 points" }],
  action: { feature: "plan", title: "Call", cost: 1, expected_value: -2.5 },
} as unknown as AtRisk;

const POINT: FileFormat = { separator: "comma", decimal: "point" };

it("takes column names from the schema, keeps numbers and makes formulas harmless", () => {
  const [header, row] = callList(schema, [customer], POINT).split("\r\n");
  expect(header).toContain("Customer,Plan,Probability,Level");
  expect(header).toContain("Value at risk (EUR)");
  expect(row).toBe(
    `'=1+1,basic,0.91,critical,-0.02,8.1,97.2,Call,1,-2.5,0 devices in use: +5 points,"on the basic plan, monthly: -3 points",`,
  );
});

it("has no money and no group where the schema has none", () => {
  const poor = { ...schema, money: null, group: null } as FeatureSchema;
  const [header] = callList(poor, [{ ...customer, action: null }], POINT).split("\r\n");
  expect(header).toBe("Customer,Probability,Level,Change since last run,Action,Reason 1,Reason 2,Reason 3");
});

it("is written for the spreadsheet of the country", () => {
  const row = callList(schema, [customer], formatOf("semicolon-comma")).split("\r\n")[1];
  expect(row).toBe(
    `'=1+1;basic;0,91;critical;-0,02;8,1;97,2;Call;1;-2,5;0 devices in use: +5 points;on the basic plan, monthly: -3 points;`,
  );
  expect(callList(schema, [customer], formatOf("tab-comma"))).toContain("\t0,91\t");
  expect([rememberedFormat("de"), rememberedFormat("en")]).toEqual(["semicolon-comma", "comma-point"]);
});
