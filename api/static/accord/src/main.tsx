import "./fonts.css";
import "./tokens.css";
import "./base.css";
import "./page.css";
import "./agreement/agreement.css";
import "./effect/effect.css";
import "./editor/editor.css";
import { createRoot } from "react-dom/client";
import { Provider } from "urql";
import { Page } from "./Page";
import { client } from "./client";

const root = document.getElementById("page");
if (root === null) {
  throw new Error("index.html has no element #page");
}
createRoot(root).render(
  <Provider value={client}>
    <Page />
  </Provider>,
);
