import { useId, useState } from "preact/hooks";
import { count } from "../formats";
import { AT_A_GLANCE, matching } from "./schema";

interface LevelChoiceProps {
  /** Values with their texts. */
  options: [string, string][];
  value: string;
  choose: (value: string) => void;
  id?: string;
  title?: string;
  "aria-label"?: string;
  "aria-describedby"?: string;
  "aria-invalid"?: boolean;
}

/** A choice of one level: from a list or, of many levels, by a part of its text. */
export function LevelChoice({ options, value, choose, ...attributes }: LevelChoiceProps) {
  if (options.length > AT_A_GLANCE)
    return <SearchedLevel options={options} value={value} choose={choose} {...attributes} />;
  return (
    <select {...attributes} value={value} onChange={(event) => choose(event.currentTarget.value)}>
      {options.map(([option, text]) => (
        <option key={option} value={option}>
          {text}
        </option>
      ))}
    </select>
  );
}

function SearchedLevel({ options, value, choose, ...attributes }: LevelChoiceProps) {
  const list = useId();
  const [typed, type] = useState<string | null>(null);
  const chosen = options.find(([option]) => option === value)?.[1] ?? value;
  const enter = (text: string) => {
    const match = options.find(([, option]) => option === text);
    type(match ? null : text);
    if (match) choose(match[0]);
  };
  return (
    <>
      <input
        {...attributes}
        type="text"
        list={list}
        autocomplete="off"
        value={typed ?? chosen}
        onFocus={(event) => event.currentTarget.select()}
        onInput={(event) => enter(event.currentTarget.value)}
        onBlur={() => type(null)}
      />
      <datalist id={list}>
        {options.map(([option, text]) => (
          <option key={option} value={text} />
        ))}
      </datalist>
    </>
  );
}

interface LevelsChoiceProps {
  label: string;
  levels: string[];
  chosen: string[];
  choose: (levels: string[]) => void;
}

/** A choice of several levels. Of many levels, the chosen ones are in sight, and those that match a text. */
export function LevelsChoice({ label, levels, chosen, choose }: LevelsChoiceProps) {
  const [text, search] = useState("");
  const shown = levels.length > AT_A_GLANCE ? matching(levels, text, chosen) : levels;
  const hidden = levels.length - shown.length;
  return (
    <div class="choices">
      {levels.length > AT_A_GLANCE ? (
        <input
          type="search"
          aria-label={`${label}: search`}
          placeholder={`Search ${count(levels.length)} values`}
          value={text}
          onInput={(event) => search(event.currentTarget.value)}
        />
      ) : null}
      {shown.map((level) => (
        <label key={level}>
          <input
            type="checkbox"
            checked={chosen.includes(level)}
            onChange={(event) =>
              choose(levels.filter((other) => (other === level ? event.currentTarget.checked : chosen.includes(other))))
            }
          />
          {level}
        </label>
      ))}
      {hidden ? <small>{count(hidden)} more</small> : null}
    </div>
  );
}
