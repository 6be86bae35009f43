import { useState } from "preact/hooks";
import type { Schemas } from "../../../client/api-client.js";
import { count, date } from "../formats";
import { useAction, useLoaded } from "../loading";
import { Card } from "../parts/card";
import { Confirm, Dialog } from "../parts/dialog";
import { Field, PasswordField, Select } from "../parts/fields";
import { Pager } from "../parts/pager";
import { Empty, Failure, Show } from "../parts/states";
import { tell } from "../parts/toasts";
import { api, may, person, type Role } from "../session";

type User = Schemas["UserView"];

const ROLES: [Role, string][] = [
  ["viewer", "viewer: sees everything"],
  ["analyst", "analyst: also imports, scores, records outcomes"],
  ["admin", "admin: also trains, promotes, and administers users"],
];

/** Who has an account, and what they may do. */
export default function Users() {
  if (may("admin")) return <Accounts />;
  return <Empty title="Your role does not allow this">Accounts are kept by administrators.</Empty>;
}

function Accounts() {
  const [cursors, setCursors] = useState<string[]>([]);
  const [adding, setAdding] = useState(false);
  const cursor = cursors.at(-1);
  const users = useLoaded(() => api.getUsers({ limit: 50, cursor }), [cursor]);
  return (
    <>
      <div class="heading">
        <div>
          <h1>Users</h1>
          <p class="quiet">A change of role counts at once, and disabling ends a person's sessions.</p>
        </div>
        <button type="button" class="primary" onClick={() => setAdding(true)}>
          Add a user
        </button>
      </div>
      <Card title="Accounts" wide>
        <Show of={users}>
          {({ data, page }) => (
            <>
              <div>
                <table class="rows">
                  <thead>
                    <tr>
                      <th scope="col">Name</th>
                      <th scope="col">E-mail</th>
                      <th scope="col">Since</th>
                      <th scope="col">Role</th>
                      <th scope="col">Status</th>
                    </tr>
                  </thead>
                  <tbody>
                    {data.map((user) => (
                      <Row key={user.email} user={user} changed={users.reload} />
                    ))}
                  </tbody>
                </table>
              </div>
              <Pager
                of="accounts"
                told={`${count(data.length)} ${data.length === 1 ? "account" : "accounts"}${cursor || page?.next ? " on this page" : ""}`}
                first={cursor ? () => setCursors([]) : undefined}
                previous={cursor ? () => setCursors(cursors.slice(0, -1)) : undefined}
                next={page?.next ? () => setCursors([...cursors, page.next ?? ""]) : undefined}
              />
            </>
          )}
        </Show>
      </Card>
      {adding ? (
        <AddUser
          close={(added) => {
            setAdding(false);
            if (added) users.reload();
          }}
        />
      ) : null}
    </>
  );
}

type Change = Pick<Schemas["UserChange"], "role" | "status">;

function Row({ user, changed }: { user: User; changed: () => void }) {
  const [change, setChange] = useState<Change | null>(null);
  const apply = useAction(async (wanted: Change) => api.changeUser({ email: user.email, ...wanted }));
  const own = user.email === person.value?.email;
  const confirm = async () => {
    if (change && (await apply.run(change))) {
      tell(`${user.name} is changed.`);
      changed();
    }
    setChange(null);
  };
  return (
    <tr>
      <th scope="row">
        {user.name} {own ? <small>(you)</small> : null}
      </th>
      <td data-label="E-mail">{user.email}</td>
      <td data-label="Since">{date(user.created_at)}</td>
      <td data-label="Role">
        <select
          aria-label={`Role of ${user.name}`}
          value={String(user.role)}
          onChange={(event) => setChange({ role: event.currentTarget.value as Schemas["Role"] })}
        >
          {ROLES.map(([role]) => (
            <option key={role} value={role}>
              {role}
            </option>
          ))}
        </select>
      </td>
      <td data-label="Status">
        {user.status}{" "}
        <button type="button" onClick={() => setChange({ status: user.status === "active" ? "disabled" : "active" })}>
          {user.status === "active" ? "Disable" : "Enable"}
        </button>
        {apply.error ? <Failure error={apply.error} /> : null}
        {change ? (
          <Confirm
            title="Change this account?"
            action="Change"
            busy={apply.busy}
            confirm={confirm}
            close={() => setChange(null)}
          >
            <p>
              {user.name} ({user.email}) becomes <b>{change.role ?? change.status}</b>.
              {own ? " This is your own account." : ""}
            </p>
          </Confirm>
        ) : null}
      </td>
    </tr>
  );
}

function AddUser({ close }: { close: (added: boolean) => void }) {
  const [email, setEmail] = useState("");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const add = useAction(() => api.addUser({ email, password, role, ...(name ? { name } : {}) }));
  const refused = (field: string) => add.error?.errors.find((error) => error.field === `body.${field}`)?.detail;
  const submit = async (event: Event) => {
    event.preventDefault();
    if (await add.run()) {
      tell(`${name || email} can sign in now.`);
      close(true);
    }
  };
  return (
    <Dialog title="Add a user" close={() => close(false)}>
      <form onSubmit={submit}>
        <Field label="E-mail" error={refused("email")}>
          {(attributes) => (
            <input
              {...attributes}
              type="email"
              required
              value={email}
              onInput={(event) => setEmail(event.currentTarget.value)}
            />
          )}
        </Field>
        <Field label="Name" error={refused("name")}>
          {(attributes) => (
            <input
              {...attributes}
              maxLength={100}
              value={name}
              onInput={(event) => setName(event.currentTarget.value)}
            />
          )}
        </Field>
        <PasswordField
          label="First password"
          hint="Hand it over in person; it is changed after the first sign-in."
          value={password}
          change={setPassword}
          error={refused("password")}
          fresh
        />
        <Select label="Role" value={role} options={ROLES} choose={setRole} />
        {add.error && !add.error.errors.length ? <Failure error={add.error} /> : null}
        <footer>
          <button type="submit" class="primary" disabled={add.busy}>
            {add.busy ? "Adding …" : "Add"}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
