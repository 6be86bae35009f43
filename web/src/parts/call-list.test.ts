import { expect, it } from "vitest";
import { type AtRisk, callList } from "./call-list";
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

it("takes column names from the schema, keeps numbers and makes formulas harmless", () => {
  const [header, row] = callList(schema, [customer]).split("\r\n");
  expect(header).toContain("Customer,Plan,Probability,Level");
  expect(header).toContain("Value at risk (EUR)");
  expect(row).toBe(
    `'=1+1,basic,0.91,critical,-0.02,8.1,97.2,"0 devices in use: +5 points; on the basic plan, monthly: -3 points",Call,1,-2.5`,
  );
});

it("has no money and no group where the schema has none", () => {
  const poor = { ...schema, money: null, group: null } as FeatureSchema;
  const [header] = callList(poor, [{ ...customer, action: null }]).split("\r\n");
  expect(header).toBe("Customer,Probability,Level,Change since last run,Reasons,Action");
});
