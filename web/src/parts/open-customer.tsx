import { useState } from "preact/hooks";
import { useLocation } from "preact-iso";
import { addressOf } from "../../../client/api-client.js";
import "../styles/open-customer.css";

/** Opens the page of a customer by id. */
export function OpenCustomer({ label }: { label: string }) {
  const { route } = useLocation();
  const [id, setId] = useState("");
  const open = (event: Event) => {
    event.preventDefault();
    if (id.trim()) route(`/customers/${addressOf(id.trim())}`);
  };
  return (
    <form class="open-customer" onSubmit={open}>
      <input
        aria-label={`${label} id`}
        placeholder={`${label} id`}
        required
        value={id}
        onInput={(event) => setId(event.currentTarget.value)}
      />
      <button type="submit">Open</button>
    </form>
  );
}
