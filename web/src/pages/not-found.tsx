import { Empty } from "../parts/states";

export default function NotFound() {
  return (
    <Empty title="Page not found">
      <p>Check the address. The page may have moved.</p>
      <a href="/">Go to the overview</a>
    </Empty>
  );
}
