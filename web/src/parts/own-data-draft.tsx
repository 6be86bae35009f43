import type { Schemas } from "../../../client/api-client.js";
import { count, counted, percent } from "../formats";
import { Card } from "./card";
import { Select } from "./fields";
import { FileColumns } from "./file-columns";
import { type Corrections, type Draft, KINDS, type Kind, kindOf, MEANINGS, type Meaning, wordsWith } from "./own-data";
import { Table } from "./table";

interface OwnDataDraftProps {
  draft: Draft;
  corrections: Corrections;
  busy: boolean;
  correct: (corrections: Corrections) => void;
}

/** What was understood of the file, for its author to correct: outcome, id, words and kinds. */
export function OwnDataDraft({ draft, corrections, busy, correct }: OwnDataDraftProps) {
  const headers = draft.columns.map(({ header }) => header);
  const choice = (likely: string[], none: string): (readonly [string, string])[] => [
    ["", none],
    ...[...new Set([...likely, ...headers])].map((header) => [header, header] as const),
  ];
  return (
    <>
      <Card title="2. Who left" note={`${counted(draft.rows, "row")} were read`} wide>
        <div class="stack">
          <div class="days">
            <Select
              label="The column with the outcome"
              value={corrections.label}
              options={choice(draft.likely_labels, "choose a column")}
              choose={(label) => correct({ ...corrections, label, words: {} })}
            />
            <Select
              label="The column with the id"
              value={corrections.id}
              options={choice(draft.likely_ids, "detected")}
              choose={(id) => correct({ ...corrections, id })}
            />
          </div>
          <Questions draft={draft} />
          {draft.outcomes.length ? (
            <Table
              caption="What the texts of this column mean"
              captioned
              narrow="cards"
              columns={[
                { title: "Text", rowHeader: true, cell: ({ value }) => value || "(blank)" },
                { title: "Rows", number: true, cell: ({ rows }) => count(rows) },
                {
                  title: "Means",
                  cell: (word) => (
                    <Means
                      word={word}
                      busy={busy}
                      choose={(means) =>
                        correct({
                          ...corrections,
                          words: { ...wordsWith(draft, word.value, means), ...corrections.words, [word.value]: means },
                        })
                      }
                    />
                  ),
                },
              ]}
              rows={draft.outcomes}
              keyOf={({ value }) => value}
            />
          ) : null}
          {draft.left_share == null ? null : (
            <p>
              <b>{percent(draft.left_share)}</b> of the customers with a known outcome left.
            </p>
          )}
        </div>
      </Card>
      <Card title="3. The columns" note="Correct a kind that was recognised wrongly, or leave a column out" wide>
        <div class="stack">
          {draft.warnings.length ? (
            <ul class="plain">
              {draft.warnings.map((warning) => (
                <li key={warning} class="wrong">
                  {warning}
                </li>
              ))}
            </ul>
          ) : null}
          <FileColumns
            caption="The columns of the file"
            columns={draft.columns}
            kind={(column) =>
              column.use === "id" || column.use === "outcome" ? null : (
                <KindOf
                  column={column}
                  chosen={corrections.kinds[column.header]}
                  busy={busy}
                  choose={(kind) => correct({ ...corrections, kinds: { ...corrections.kinds, [column.header]: kind } })}
                />
              )
            }
          />
          {draft.notes.map((note) => (
            <p key={note} class="quiet">
              {note}
            </p>
          ))}
        </div>
      </Card>
    </>
  );
}

function Questions({ draft }: { draft: Draft }) {
  if (!draft.questions.length) return null;
  return (
    <div class="failure" role="alert">
      <h3>
        {draft.feature_schema ? "A question" : "Say which text means that a customer left, and which that one stayed"}
      </h3>
      {draft.questions.map((question) => (
        <p key={question}>{question}</p>
      ))}
    </div>
  );
}

interface MeansProps {
  word: Schemas["OutcomeWord"];
  busy: boolean;
  choose: (means: Meaning) => void;
}

function Means({ word, busy, choose }: MeansProps) {
  if (!word.value) return <>not known</>;
  return (
    <select
      aria-label={`What ${word.value} means`}
      value={word.means}
      disabled={busy}
      onChange={(event) => choose(event.currentTarget.value as Meaning)}
    >
      {word.means === "unreadable" ? <option value="unreadable">choose</option> : null}
      {MEANINGS.map(([means, text]) => (
        <option key={means} value={means}>
          {text}
        </option>
      ))}
    </select>
  );
}

interface KindOfProps {
  column: Schemas["ColumnOfFile"];
  chosen: Kind | undefined;
  busy: boolean;
  choose: (kind: Kind) => void;
}

function KindOf({ column, chosen, busy, choose }: KindOfProps) {
  return (
    <select
      aria-label={`Kind of ${column.header}`}
      value={kindOf(column, chosen)}
      disabled={busy}
      onChange={(event) => choose(event.currentTarget.value as Kind)}
    >
      {KINDS.map(([kind, text]) => (
        <option key={kind} value={kind}>
          {text}
        </option>
      ))}
    </select>
  );
}
