/** Deliveries and preparations in sentences. */
import type { Schemas } from "../../../client/api-client.js";
import { count, dateTime, wholeDay } from "../formats";

const STEPS: Record<string, string> = {
  build: "Computing features and outcomes",
  store: "Storing the customers",
};

export function deliverySentence(run: Schemas["DeliveryView"]): string {
  if (run.status === "WAITING") return `${run.file_name}: waiting for the upload`;
  if (run.status === "RUNNING") return `${run.file_name}: its rows are added…`;
  if (run.status === "FAILED") return `The delivery failed: ${run.reason ?? "unknown reason"}`;
  const { read, added, changed, repeated, older, removed } = run.counts;
  const parts = [
    [added, "new"],
    [changed, "changed"],
    [repeated, "already there"],
    [older, "older than the stored rows"],
    [removed, "of removed customers"],
  ] as const;
  const listed = parts.filter(([number]) => number).map(([number, words]) => `${count(number)} ${words}`);
  return [`${run.file_name}: ${count(read)} rows read`, ...listed, ...run.notes].join(" · ");
}

export function preparationSentence(run: Schemas["PreparationView"]): string {
  if (run.status === "FAILED") return `The preparation failed: ${run.reason ?? "unknown reason"}`;
  if (run.status === "RUNNING") return `${STEPS[run.step ?? ""] ?? "Starting"}…`;
  const { customers, created, changed, rejected } = run.counts;
  const parts = [
    `${count(customers)} customers with features of ${wholeDay(run.features_on)}`,
    `${count(created)} new`,
    `${count(changed)} changed`,
    ...(rejected ? [`${count(rejected)} rejected`] : []),
    dateTime(run.finished_at),
  ];
  return parts.join(" · ");
}
