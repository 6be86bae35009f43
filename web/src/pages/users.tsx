import { useState } from "preact/hooks";
import type { Schemas } from "../../../client/api-client.js";
import { counted, date } from "../formats";
import { useAction, useLoaded } from "../loading";
import { Card } from "../parts/card";
import { Confirm, Dialog } from "../parts/dialog";
import { PasswordField, Select, TextField } from "../parts/fields";
import { Pager } from "../parts/pager";
import { Empty, Failure, Show } from "../parts/states";
import { Table } from "../parts/table";
import { tell } from "../parts/toasts";
import { api, may, person, type Role } from "../session";

type User = Schemas["UserView"];

const ROLES: [Role, string][] = [
  ["viewer", "viewer: reads figures, the call list and customers"],
  ["analyst", "analyst: also imports, scores and records outcomes"],
  ["admin", "admin: also trains, promotes and manages users"],
];

/** Accounts and their roles. */
export default function Users() {
  if (may("admin")) return <Accounts />;
  return <Empty title="Your role does not allow this">Only administrators can manage accounts.</Empty>;
}

function Accounts() {
  const [cursors, setCursors] = useState<string[]>([]);
  const [adding, setAdding] = useState(false);
  const [change, setChange] = useState<Change | null>(null);
  const cursor = cursors.at(-1);
  const users = useLoaded(() => api.getUsers({ limit: 50, cursor }), [cursor]);
  return (
    <>
      <div class="heading">
        <div>
          <h1>Users</h1>
          <p class="quiet">Role changes apply at once. Disabling an account ends its sessions.</p>
        </div>
        <button type="button" class="primary" onClick={() => setAdding(true)}>
          Add a user
        </button>
      </div>
      <Card title="Accounts" wide>
        <Show of={users}>
          {({ data, page }) => (
            <>
              <Table
                caption="Accounts"
                narrow="cards"
                columns={[
                  {
                    title: "Name",
                    rowHeader: true,
                    cell: (user) => (
                      <>
                        {user.name} {isOwn(user) ? <small>(you)</small> : null}
                      </>
                    ),
                  },
                  { title: "E-mail", cell: ({ email }) => email },
                  { title: "Created", cell: (user) => date(user.created_at) },
                  { title: "Role", cell: (user) => <RoleSelect user={user} request={setChange} /> },
                  { title: "Status", cell: (user) => <Status user={user} request={setChange} /> },
                ]}
                rows={data}
                keyOf={({ email }) => email}
              />
              <Pager
                of="accounts"
                position={`${counted(data.length, "account")}${cursor || page?.next ? " on this page" : ""}`}
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
      {change ? <ConfirmChange change={change} close={() => setChange(null)} changed={users.reload} /> : null}
    </>
  );
}

/** A change that waits for confirmation: a new role or a new status. */
interface Change {
  user: User;
  to: Pick<Schemas["UserChange"], "role" | "status">;
}

interface ChangeProps {
  user: User;
  request: (change: Change) => void;
}

function isOwn({ email }: User): boolean {
  return email === person.value?.email;
}

function RoleSelect({ user, request }: ChangeProps) {
  return (
    <select
      aria-label={`Role of ${user.name}`}
      value={String(user.role)}
      onChange={(event) => request({ user, to: { role: event.currentTarget.value as Schemas["Role"] } })}
    >
      {ROLES.map(([role]) => (
        <option key={role} value={role}>
          {role}
        </option>
      ))}
    </select>
  );
}

function Status({ user, request }: ChangeProps) {
  const active = user.status === "active";
  return (
    <>
      {user.status}
      {user.must_change_password ? ", first password" : ""}{" "}
      <button type="button" onClick={() => request({ user, to: { status: active ? "disabled" : "active" } })}>
        {active ? "Disable" : "Enable"}
      </button>
    </>
  );
}

interface ConfirmChangeProps {
  change: Change;
  close: () => void;
  changed: () => void;
}

function ConfirmChange({ change: { user, to }, close, changed }: ConfirmChangeProps) {
  const apply = useAction(() => api.changeUser({ email: user.email, ...to }));
  const verb = to.role ? "Change" : to.status === "disabled" ? "Disable" : "Enable";
  const confirm = async () => {
    if (!(await apply.run())) return;
    tell(`${user.name}: ${to.role ?? to.status}.`);
    close();
    changed();
  };
  return (
    <Confirm
      title={to.role ? "Change the role?" : `${verb} this account?`}
      action={verb}
      busy={apply.busy}
      confirm={() => void confirm()}
      close={close}
    >
      <p>
        {user.name} ({user.email})
        {to.role ? (
          <>
            : {user.role} → <b>{to.role}</b>
          </>
        ) : null}
        .{isOwn(user) ? " This is your own account." : ""}
      </p>
      {apply.error ? <Failure error={apply.error} /> : null}
    </Confirm>
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
        <TextField label="E-mail" type="email" required value={email} change={setEmail} error={refused("email")} />
        <TextField label="Name" maxLength={100} value={name} change={setName} error={refused("name")} />
        <PasswordField
          label="Initial password"
          hint="Give it to the user in person. The user must change it after signing in."
          value={password}
          change={setPassword}
          error={refused("password")}
          fresh
        />
        <Select label="Role" value={role} options={ROLES} choose={setRole} />
        {add.error && !add.error.errors.length ? <Failure error={add.error} /> : null}
        <footer>
          <button type="submit" class="primary" disabled={add.busy}>
            {add.busy ? "Adding…" : "Add"}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
