import { render } from "preact";
import { App } from "./app";
import "./styles/base.css";
import "./styles/table.css";
import "./styles/parts.css";

const root = document.getElementById("app");
if (root) {
  root.textContent = "";
  render(<App />, root);
}
