// GraphiQL with the example operations: as tabs at the first visit, and as a list at the side at any time.

const { createElement, useEffect, useState } = globalThis.React;
const { GraphiQL } = globalThis;

/** Values that are kept out of localStorage, where GraphiQL remembers tabs and history. */
const SECRET = /\b((?:\w*[pP]assword|refreshToken|token)"?\s*:\s*)("""[\s\S]*?"""|"(?:[^"\\]|\\.)*"?)/g;

function withoutSecrets(text) {
  return text.replace(SECRET, '$1""');
}

/** GraphiQL's memory without passwords, tokens and headers. */
function memory() {
  const kept = GraphiQL.createLocalStorage({ namespace: "orgdesk" });
  const withoutHeaders = (name, value) => {
    if (name === "headers") return null;
    return typeof value === "string" ? withoutSecrets(value) : value;
  };
  return {
    getItem: (name) => kept.getItem(name),
    removeItem: (name) => kept.removeItem(name),
    clear: () => kept.clear(),
    get length() {
      return kept.length;
    },
    setItem(name, value) {
      const isList = /:(tabState|queries|favorites)$/.test(name);
      kept.setItem(name, isList ? JSON.stringify(JSON.parse(value), withoutHeaders) : withoutSecrets(value));
    },
  };
}

/** What an operation is for: its first line, a comment. */
function purpose(query) {
  return query.split("\n", 1)[0].replace(/^#\s*/, "").replaceAll("`", "");
}

/** Breaks long lines of the query instead of scrolling them; GraphiQL has no property for that. */
function LongLines() {
  const { queryEditor } = GraphiQL.React.useEditorContext({ nonNull: true });
  useEffect(() => {
    queryEditor?.setOption("lineWrapping", true);
  }, [queryEditor]);
  return null;
}

function ExampleList({ operations, texts }) {
  const editor = GraphiQL.React.useEditorContext({ nonNull: true });
  const [words, setWords] = useState("");
  const open = ({ name, query, variables }) => {
    const place = editor.tabs.findIndex((tab) => tab.query?.trim() === query.trim());
    if (place >= 0) return editor.changeTab(place);
    const title = /^(?:query|mutation|subscription)\s+(\w+)/m.exec(query)?.[1] ?? "";
    const tab = { id: `${name}-${Date.now()}`, hash: [query, variables, ""].join("|"), title, query, variables };
    editor.moveTab([...editor.tabs, { ...tab, headers: null, operationName: title, response: null }]);
    return editor.changeTab(editor.tabs.length);
  };
  const wanted = operations.filter(({ name, query }) => `${name} ${query}`.toLowerCase().includes(words.toLowerCase()));
  const active = editor.tabs[editor.activeTabIndex]?.query?.trim();
  const item = (operation) =>
    createElement(
      "li",
      { key: operation.name },
      createElement(
        "button",
        {
          type: "button",
          className: "example",
          onClick: () => open(operation),
          "aria-current": operation.query.trim() === active ? "true" : undefined,
        },
        createElement("span", { className: "example-name" }, operation.name),
        createElement("span", { className: "example-purpose" }, purpose(operation.query)),
      ),
    );
  return createElement(
    "section",
    { className: "examples", "aria-label": texts.examples },
    createElement("h2", { className: "examples-title" }, texts.examples),
    createElement("input", {
      type: "search",
      className: "examples-search",
      "aria-label": texts.searchExamples,
      placeholder: texts.searchExamples,
      value: words,
      onChange: (event) => setWords(event.target.value),
    }),
    createElement("ul", { className: "examples-list" }, wanted.map(item)),
  );
}

function ExampleIcon() {
  const lines = createElement("path", {
    d: "M3 5h14M3 10h14M3 15h9",
    stroke: "currentColor",
    strokeWidth: 1.6,
    strokeLinecap: "round",
  });
  return createElement("svg", { viewBox: "0 0 20 20", fill: "none", "aria-hidden": true }, lines);
}

/** Opens the examples when GraphiQL is there: it starts with its side pane shut, whatever its `visiblePlugin` says. */
function openExamples(place, texts) {
  const watch = new MutationObserver(() => {
    const button = place.querySelector(`.graphiql-sidebar button[aria-label$="${texts.examples}"]`);
    if (!button) return;
    watch.disconnect();
    setTimeout(() => button.click());
  });
  watch.observe(place, { childList: true, subtree: true });
}

/**
 * What is to be run of `query`, read from its text as it stands: for a tenth of a second after a change GraphiQL still
 * gives the name and the document of what stood there before. Text that can't be read is the server's to refuse.
 */
function operationOf({ query, operationName }) {
  let definitions = [];
  try {
    ({ definitions } = GraphiQL.GraphQL.parse(query));
  } catch {
    return { name: operationName, isSubscription: false };
  }
  const operations = definitions.filter(({ kind }) => kind === "OperationDefinition");
  const chosen = operations.find(({ name }) => name?.value === operationName) ?? operations[0];
  return { name: chosen?.name?.value, isSubscription: chosen?.operation === "subscription" };
}

/**
 * Shows GraphiQL in `place`. `send(request, headers)` answers a `Response`, `follow(request, headers)` the events of a
 * subscription; the answered function shows it anew with another `send` identity, which makes GraphiQL read the schema
 * again.
 */
export function showEditor(place, operations, texts, send, follow) {
  const root = globalThis.ReactDOM.createRoot(place);
  const storage = memory();
  const defaultTabs = operations.map(({ query, variables }) => ({ query, variables }));
  const examples = {
    title: texts.examples,
    icon: ExampleIcon,
    content: () => createElement(ExampleList, { operations, texts }),
  };
  const plugins = [examples];
  const isWide = matchMedia("(min-width: 900px)").matches;
  if (isWide && operations.length && !storage.getItem("graphiql:tabState")) openExamples(place, texts);
  const show = () => {
    const fetcher = async (written, options) => {
      const { name, isSubscription } = operationOf(written);
      const request = { ...written, operationName: name };
      return isSubscription ? follow(request, options?.headers) : (await send(request, options?.headers)).json();
    };
    root.render(
      createElement(
        GraphiQL,
        {
          fetcher,
          storage,
          plugins,
          defaultTabs: defaultTabs.length ? defaultTabs : undefined,
          defaultQuery: "",
          defaultEditorToolsVisibility: "variables",
          showPersistHeadersSettings: false,
        },
        createElement(GraphiQL.Logo, null, createElement(LongLines)),
      ),
    );
  };
  show();
  return show;
}
