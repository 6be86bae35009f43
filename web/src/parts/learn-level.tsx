import { useState } from "preact/hooks";
import { useAction } from "../loading";
import { api, may } from "../session";
import { Failure } from "./states";

const NEW = "is new";
const RARER = "…";

interface LearnLevelProps {
  column: string;
  value: string;
  reason: string;
}

/** Adds a level that a file has to the schema. Nothing where a cell could not be read for another reason. */
export function LearnLevel({ column, value, reason }: LearnLevelProps) {
  const [learned, setLearned] = useState(false);
  const learn = useAction(async () => {
    await api.learnLevels(column, [value]);
    setLearned(true);
  });
  if (reason !== NEW || value === RARER || !may("admin")) return null;
  if (learned) return <span role="status">Added. Import the file again in 30 seconds.</span>;
  return (
    <>
      <button
        type="button"
        disabled={learn.busy}
        onClick={() => void learn.run()}
        aria-label={`Add the level ${value} of ${column}`}
      >
        Add the level
      </button>
      {learn.error ? <Failure error={learn.error} /> : null}
    </>
  );
}
