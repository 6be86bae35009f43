import { useState } from "preact/hooks";
import type { Schemas } from "../../../client/api-client.js";
import { count, dateTime, decimal } from "../formats";
import { useAction, useLoaded } from "../loading";
import { api, may } from "../session";
import { Card, Scroll } from "./card";
import { Promote } from "./promotion";
import { Empty, Failure, Show } from "./states";

type Version = Schemas["VersionView"];
export type Status = Schemas["StatusView"];

const FIGURES = [
  ["roc_auc", "ROC AUC"],
  ["pr_auc", "PR AUC"],
  ["log_loss", "Log loss"],
  ["brier", "Brier score"],
  ["ece", "ECE"],
  ["precision", "Precision"],
  ["recall", "Recall"],
  ["top_decile_lift", "Lift in the top tenth"],
] as const;

/** Every version with its figures; two of them side by side. */
export function Versions({ turn, changed }: { turn: number; changed: () => void }) {
  const [chosen, setChosen] = useState<string[]>([]);
  const versions = useLoaded(() => api.getVersions({ limit: 20 }), [turn]);
  const toggle = (version: string) =>
    setChosen(chosen.includes(version) ? chosen.filter((other) => other !== version) : [...chosen, version].slice(-2));
  return (
    <Card title="Versions" note="Newest first. Choose two to see them side by side" wide>
      <Show of={versions}>
        {({ data }) => {
          const compared = data.filter(({ version }) => chosen.includes(version));
          return data.length ? (
            <>
              <div>
                <table class="rows">
                  <thead>
                    <tr>
                      <th scope="col">Compare</th>
                      <th scope="col">Version</th>
                      <th scope="col">Made</th>
                      <th scope="col" class="number">
                        ROC AUC
                      </th>
                      <th scope="col" class="number">
                        Log loss
                      </th>
                      <th scope="col" class="number">
                        ECE
                      </th>
                      <th scope="col">State</th>
                      <th scope="col">
                        <span class="unseen">Actions</span>
                      </th>
                    </tr>
                  </thead>
                  <tbody>
                    {data.map((version) => (
                      <Row
                        key={version.version}
                        version={version}
                        chosen={chosen.includes(version.version)}
                        toggle={() => toggle(version.version)}
                        changed={changed}
                      />
                    ))}
                  </tbody>
                </table>
              </div>
              {compared.length === 2 ? <SideBySide versions={compared} /> : null}
            </>
          ) : (
            <Empty title="No version yet">Train one above.</Empty>
          );
        }}
      </Show>
    </Card>
  );
}

interface RowProps {
  version: Version;
  chosen: boolean;
  toggle: () => void;
  changed: () => void;
}

function Row({ version, chosen, toggle, changed }: RowProps) {
  const promotable = version.status === "registered" && !version.in_service && may("admin");
  return (
    <tr>
      <td data-label="Compare">
        <input type="checkbox" checked={chosen} onChange={toggle} aria-label={`Compare ${version.version}`} />
      </td>
      <th scope="row">{version.version}</th>
      <td data-label="Made">{dateTime(version.created_at)}</td>
      <td class="number" data-label="ROC AUC">
        {decimal(version.metrics.roc_auc)}
      </td>
      <td class="number" data-label="Log loss">
        {decimal(version.metrics.log_loss)}
      </td>
      <td class="number" data-label="ECE">
        {decimal(version.metrics.ece)}
      </td>
      <td data-label="State">
        {version.in_service ? "in service" : version.status}
        {version.gate.reasons.map((reason) => (
          <small key={reason}>
            <br />
            {reason}
          </small>
        ))}
      </td>
      <td class="actions">
        {promotable ? <Promote version={version.version} changed={changed} /> : null}
        <OpenCard version={version.version} />
      </td>
    </tr>
  );
}

function OpenCard({ version }: { version: string }) {
  const open = useAction(async () => {
    const card = await api.getModelCard(version);
    window.open(card.data.html_url, "_blank", "noopener");
  });
  return (
    <>
      <button
        type="button"
        disabled={open.busy}
        onClick={() => void open.run()}
        aria-label={`Model card of ${version}`}
      >
        Card
      </button>
      {open.error ? <Failure error={open.error} /> : null}
    </>
  );
}

function SideBySide({ versions }: { versions: Version[] }) {
  return (
    <Scroll label="Side by side">
      <table class="side-by-side">
        <caption>Side by side; each on its own held-out customers</caption>
        <thead>
          <tr>
            <th scope="col">Figure</th>
            {versions.map(({ version }) => (
              <th key={version} scope="col" class="number">
                {version}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {FIGURES.map(([name, label]) => (
            <tr key={name}>
              <th scope="row">{label}</th>
              {versions.map(({ version, metrics }) => (
                <td key={version} class="number">
                  {decimal((metrics as unknown as Record<string, number | undefined>)[name])}
                </td>
              ))}
            </tr>
          ))}
          <tr>
            <th scope="row">Held-out customers</th>
            {versions.map(({ version, metrics }) => (
              <td key={version} class="number">
                {count(metrics.rows)}
              </td>
            ))}
          </tr>
        </tbody>
      </table>
    </Scroll>
  );
}
