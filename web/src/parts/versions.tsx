import { useState } from "preact/hooks";
import type { Schemas } from "../../../client/api-client.js";
import { count, dateTime, decimal } from "../formats";
import { useAction, useLoaded } from "../loading";
import { api, may } from "../session";
import { Card } from "./card";
import { Promote } from "./promotion";
import { Empty, Failure, Show } from "./states";
import { Table, type TableColumn } from "./table";

type Version = Schemas["VersionView"];
export type Status = Schemas["StatusView"];

const FIGURES = [
  ["roc_auc", "ROC AUC"],
  ["pr_auc", "PR AUC"],
  ["log_loss", "Log loss"],
  ["brier", "Brier score"],
  ["observed_to_expected", "Observed to expected churners"],
  ["calibration_slope", "Calibration slope"],
  ["ece", "ECE"],
  ["precision", "Precision"],
  ["recall", "Recall"],
  ["top_decile_lift", "Lift in the top decile"],
] as const;

/** All versions with their figures; two selected versions side by side. */
export function Versions({ turn, changed }: { turn: number; changed: () => void }) {
  const [selected, setSelected] = useState<string[]>([]);
  const versions = useLoaded(() => api.getVersions({ limit: 20 }), [turn]);
  const toggle = (version: string) =>
    setSelected(
      selected.includes(version) ? selected.filter((other) => other !== version) : [...selected, version].slice(-2),
    );
  return (
    <Card title="Versions" note="Newest first. Select two versions to compare them" wide>
      <Show of={versions}>
        {({ data }) => {
          const compared = data.filter(({ version }) => selected.includes(version));
          return data.length ? (
            <>
              <Table
                caption="Versions of the model"
                narrow="cards"
                columns={columnsOf(selected, toggle, changed)}
                rows={data}
                keyOf={({ version }) => version}
              />
              {compared.length === 2 ? <SideBySide versions={compared} /> : null}
            </>
          ) : (
            <Empty title="No versions yet">Train a model above.</Empty>
          );
        }}
      </Show>
    </Card>
  );
}

function columnsOf(selected: string[], toggle: (version: string) => void, changed: () => void): TableColumn<Version>[] {
  return [
    {
      title: "Compare",
      cell: ({ version }) => (
        <input
          type="checkbox"
          checked={selected.includes(version)}
          onChange={() => toggle(version)}
          aria-label={`Compare ${version}`}
        />
      ),
    },
    { title: "Version", rowHeader: true, cell: ({ version }) => version },
    { title: "Created", sort: "descending", cell: (version) => dateTime(version.created_at) },
    { title: "ROC AUC", number: true, cell: ({ metrics }) => decimal(metrics.roc_auc) },
    { title: "Log loss", number: true, cell: ({ metrics }) => decimal(metrics.log_loss) },
    { title: "Observed / expected", number: true, cell: ({ metrics }) => decimal(metrics.observed_to_expected, 2) },
    { title: "State", cell: (version) => <State version={version} /> },
    { title: "Actions", unseen: true, cell: (version) => <Actions version={version} changed={changed} /> },
  ];
}

function State({ version }: { version: Version }) {
  return (
    <>
      {version.in_service ? "in service" : version.status}
      {[...version.gate.reasons, ...(version.gate.held_back ?? []), ...(version.gate.doubts ?? [])].map((reason) => (
        <small key={reason}>
          <br />
          {reason}
        </small>
      ))}
    </>
  );
}

function Actions({ version, changed }: { version: Version; changed: () => void }) {
  const promotable = version.status === "registered" && !version.in_service && may("admin");
  return (
    <span class="ways">
      {promotable ? <Promote version={version.version} changed={changed} /> : null}
      <OpenCard version={version.version} />
    </span>
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
        Model card
      </button>
      {open.error ? <Failure error={open.error} /> : null}
    </>
  );
}

function SideBySide({ versions }: { versions: Version[] }) {
  const figures = FIGURES.map(([name, label]) => ({
    label,
    of: ({ metrics }: Version) => decimal((metrics as unknown as Record<string, number | undefined>)[name]),
  }));
  const rows = [...figures, { label: "Held-out customers", of: ({ metrics }: Version) => count(metrics.rows) }];
  return (
    <Table
      caption="Side by side, each version on its own held-out customers"
      captioned
      class="side-by-side"
      narrow="scroll"
      columns={[
        { title: "Figure", rowHeader: true, cell: ({ label }) => label },
        ...versions.map((version) => ({
          title: version.version,
          number: true,
          cell: ({ of }: (typeof rows)[number]) => of(version),
        })),
      ]}
      rows={rows}
      keyOf={({ label }) => label}
    />
  );
}
