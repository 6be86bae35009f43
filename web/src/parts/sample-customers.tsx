import { useState } from "preact/hooks";
import { counted } from "../formats";
import { useAction, useLoaded } from "../loading";
import { api } from "../session";
import { Confirm } from "./dialog";
import { Failure } from "./states";

/** Customers that are looked at for sample customers among them. */
const MOST_ASKED = 2000;

/** Offers to remove the synthetic customers of a stack that was tried with them: they would stay beside the own ones. */
export function SampleCustomers() {
  const [removed, setRemoved] = useState(0);
  const [confirming, setConfirming] = useState(false);
  const [done, setDone] = useState(false);
  const there = useLoaded(async () => {
    let asked = 0;
    for await (const { source } of api.everyCustomer()) {
      if (source === "synthetic") return true;
      if (++asked === MOST_ASKED) break;
    }
    return false;
  }, []);
  const remove = useAction(async () => {
    for (let more = true, all = 0; more; ) {
      const { data } = await api.deleteSampleCustomers();
      all += data.removed;
      more = data.more && data.removed > 0;
      setRemoved(all);
    }
    setConfirming(false);
    setDone(true);
    there.reload();
  });
  if (there.loading.data === false) return done ? <p role="status">The sample customers are removed.</p> : null;
  if (!there.loading.data) return null;
  return (
    <div class="failure">
      <h3>There are sample customers</h3>
      <p>
        RetainStream was started with invented customers. Remove them before you activate your schema: they do not fit
        it, and would stay in the lists and figures beside your own.
      </p>
      <p>
        <button type="button" onClick={() => setConfirming(true)}>
          Remove the sample customers
        </button>
      </p>
      {confirming ? (
        <Confirm
          title="Remove the sample customers?"
          action="Remove"
          busy={remove.busy}
          confirm={() => void remove.run()}
          close={() => setConfirming(false)}
        >
          <p>Their features, outcomes and predictions are deleted. Customers of your files stay.</p>
          {remove.busy ? <p role="status">{counted(removed, "sample customer")} removed so far…</p> : null}
          {remove.error ? <Failure error={remove.error} /> : null}
        </Confirm>
      ) : null}
    </div>
  );
}
