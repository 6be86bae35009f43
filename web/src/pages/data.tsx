import { useEffect, useState } from "preact/hooks";
import { count, dateTime } from "../formats";
import { useLoaded, useRepeated } from "../loading";
import { Card } from "../parts/card";
import { type Ids, ImportForm } from "../parts/import-form";
import { statusInWords } from "../parts/import-kinds";
import { ImportProgress } from "../parts/import-progress";
import { SchemaChange } from "../parts/schema-change";
import { SchemaTable } from "../parts/schema-table";
import { Scoring } from "../parts/scoring";
import { Sources } from "../parts/sources";
import { Empty, Show } from "../parts/states";
import { Table } from "../parts/table";
import { useSchema } from "../parts/use-schema";
import { api, may } from "../session";
import "../styles/data.css";

/** Imports of customers, the scoring run, the sources of features, the feature schema and its change. */
export default function Data() {
  const [followed, setFollowed] = useState<string | null>(null);
  const [sent, setSent] = useState<Sent | null>(null);
  const [asked, setAsked] = useState(false);
  const [turn, setTurn] = useState(0);
  const [schemas, setSchemas] = useState(0);
  const schema = useSchema();
  return (
    <>
      <div class="heading">
        <h1>Data</h1>
        {may("admin") ? (
          <a class="button" href="/data/own">
            Your own data
          </a>
        ) : null}
      </div>
      {may("analyst") ? (
        <>
          <div class="grid">
            <Show of={schema} lines={6}>
              {({ horizon_days }) => (
                <ImportForm
                  horizon={horizon_days}
                  asked={asked}
                  started={(id, again) => {
                    setSent({ id, again });
                    setFollowed(id);
                    setAsked(false);
                  }}
                />
              )}
            </Show>
            {followed ? (
              <Followed
                key={followed}
                id={followed}
                again={sent?.id === followed ? sent.again : undefined}
                asked={setAsked}
                finished={() => setTurn((now) => now + 1)}
              />
            ) : (
              <HowTo />
            )}
          </div>
          <Scoring />
          <Recent chosen={followed} choose={setFollowed} turn={turn} />
          <Sources key={schemas} />
        </>
      ) : (
        <Empty title="Only analysts can import customers">Ask an administrator for the analyst role.</Empty>
      )}
      <SchemaTable key={schemas} />
      {may("admin") ? <SchemaChange changed={() => setSchemas((now) => now + 1)} /> : null}
    </>
  );
}

function HowTo() {
  return (
    <Card title="Rules for rows">
      <ul>
        <li>
          A row is rejected only if it cannot be attributed to a customer. A cell that cannot be read counts as missing.
          Both are listed, and can be corrected in a file and sent again.
        </li>
        <li>A stored customer changes only where the file is newer.</li>
        <li>
          Features and outcomes are paired by their days. Features from after the outcome, or of a customer who had
          left, are not used for training.
        </li>
        <li>A second import of the same file changes nothing.</li>
        <li>Accepted and rejected rows add up to the rows of the file.</li>
      </ul>
    </Card>
  );
}

/** An import of this page, and how to import its file again. */
interface Sent {
  id: string;
  again: (ids: Ids) => void;
}

interface FollowedProps {
  id: string;
  again: ((ids: Ids) => void) | undefined;
  /** Is called with whether the import has ended with a question. */
  asked: (asked: boolean) => void;
  finished: () => void;
}

function Followed({ id, again, asked, finished }: FollowedProps) {
  const run = useLoaded(() => api.getImport(id), [id]);
  const status = run.loading.data?.data.status;
  useRepeated(run.reload, 1.5, status === "RUNNING" || status === "WAITING" || run.loading.state === "failed");
  useEffect(() => {
    if (status && status !== "RUNNING" && status !== "WAITING") finished();
    asked(Boolean(run.loading.data?.data.question) && !again);
  }, [status]);
  return (
    <Card title="This import">
      <Show of={run}>{({ data }) => <ImportProgress run={data} again={again} />}</Show>
    </Card>
  );
}

interface RecentProps {
  chosen: string | null;
  choose: (id: string) => void;
  /** Changes when an import ends, and loads the list again. */
  turn: number;
}

function Recent({ chosen, choose, turn }: RecentProps) {
  const imports = useLoaded(() => api.getImports({ limit: 10 }), [chosen, turn]);
  return (
    <Card title="Recent imports" wide>
      <Show of={imports}>
        {({ data }) =>
          data.length ? (
            <Table
              caption="Recent imports"
              narrow="cards"
              columns={[
                { title: "File", rowHeader: true, cell: (run) => run.file_name },
                { title: "Started", sort: "descending", cell: (run) => dateTime(run.started_at) },
                { title: "By", cell: (run) => run.started_by },
                { title: "Status", cell: (run) => statusInWords(run.status) },
                { title: "Rows", number: true, cell: (run) => count(run.rows) },
                { title: "Accepted", number: true, cell: (run) => count(run.counts.accepted) },
                { title: "Rejected", number: true, cell: (run) => count(run.counts.rejected) },
                {
                  title: "Details",
                  unseen: true,
                  cell: (run) => (
                    <button
                      type="button"
                      onClick={() => choose(run.import_id)}
                      aria-label={`Details of ${run.file_name}`}
                    >
                      Details
                    </button>
                  ),
                },
              ]}
              rows={data}
              keyOf={(run) => run.import_id}
              attributesOf={(run) => ({ "aria-current": run.import_id === chosen || undefined })}
            />
          ) : (
            <Empty title="No imports yet" />
          )
        }
      </Show>
    </Card>
  );
}
