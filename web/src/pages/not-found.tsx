import { Empty } from "../parts/states";

export default function NotFound() {
  return (
    <Empty title="There is no such page">
      <p>The address may be mistyped, or the page has moved.</p>
      <a href="/">Go to the overview</a>
    </Empty>
  );
}
