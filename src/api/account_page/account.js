// Takes the secret out of the address, asks the API what it is for, and uses it once a password was chosen. The secret
// lives in this variable only: not in the history, not in storage.

const SECRET = location.hash.slice(1);
history.replaceState(null, "", location.pathname + location.search);

const PAGE = document.documentElement.dataset.page;
const LANGUAGE = document.documentElement.lang;

const VERBS = {
  invitation: {
    look: `query InvitationLook($token: String!) {
      found: invitationPreview(token: $token) { organizationName login name }
    }`,
    act: `mutation InvitationUse($input: InvitationAcceptInput!) {
      done: invitationAccept(input: $input) { organizationDomain login userErrors { code field message } }
    }`,
  },
  "password-reset": {
    look: `query PasswordResetLook($token: String!) {
      found: passwordResetPreview(token: $token) { organizationName login needsSecondFactor }
    }`,
    act: `mutation PasswordResetUse($input: PasswordResetInput!) {
      done: passwordReset(input: $input) { organizationDomain login userErrors { code field message } }
    }`,
  },
}[PAGE];

const at = (id) => document.getElementById(id);

/** Shows one part of the page and hides the others. */
function show(id) {
  for (const part of ["loading", "refused", "unreachable", "form", "done"]) at(part).hidden = part !== id;
  if (id !== "loading") at("title").focus();
}

/** Asks the API; answers its data, or throws where there is none. */
async function ask(query, variables) {
  const answer = await fetch("/graphql", {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/graphql-response+json",
      "accept-language": LANGUAGE,
    },
    body: JSON.stringify({ query, variables }),
    credentials: "omit",
    cache: "no-store",
    referrerPolicy: "no-referrer",
  });
  const { data, errors } = await answer.json();
  if (errors?.length) throw new Error(errors[0].message);
  return data;
}

async function look() {
  show("loading");
  if (!SECRET) return show("refused");
  let found;
  try {
    ({ found } = await ask(VERBS.look, { token: SECRET }));
  } catch {
    return show("unreachable");
  }
  if (!found) return show("refused");
  at("organization").textContent = found.organizationName;
  at("name").textContent = found.name ?? "";
  at("name-row").hidden = !found.name;
  at("login").value = found.login;
  at("code-row").hidden = !found.needsSecondFactor;
  show("form");
}

/** Puts each problem beside its field, and the first one into focus. */
function tell(problems) {
  for (const id of ["password", "code"]) {
    const own = problems.filter(({ field }) => field?.at(-1) === id);
    at(`${id}-problem`).textContent = own.map(({ message }) => message).join(" ");
    at(id).removeAttribute("aria-invalid");
    if (own.length) at(id).setAttribute("aria-invalid", "true");
  }
  const rest = problems.filter(({ field }) => !["password", "code"].includes(field?.at(-1)));
  at("problem").textContent = rest.map(({ message }) => message).join(" ");
  const wrong = document.querySelector("[aria-invalid=true]");
  wrong?.focus();
}

async function use(event) {
  event.preventDefault();
  const input = { token: SECRET, password: at("password").value };
  if (!at("code-row").hidden) input.code = at("code").value;
  at("submit").disabled = true;
  tell([]);
  try {
    const { done } = await ask(VERBS.act, { input });
    if (done.userErrors.some(({ code }) => code === "LINK_REFUSED")) return show("refused");
    if (done.userErrors.length) return tell(done.userErrors);
    at("password").value = "";
    at("done-organization").textContent = done.organizationDomain;
    at("done-login").textContent = done.login;
    show("done");
  } catch (error) {
    at("problem").textContent = error instanceof TypeError ? at("unreachable").querySelector("p").textContent : error.message;
  } finally {
    at("submit").disabled = false;
  }
}

for (const link of document.querySelectorAll("[data-language]")) {
  if (link.dataset.language === LANGUAGE) link.setAttribute("aria-current", "true");
  link.addEventListener("click", (event) => {
    // Only on the way to the other language does the secret go back into the address, to be taken out again there.
    if (link.dataset.language === LANGUAGE) event.preventDefault();
    else if (SECRET) link.hash = SECRET;
  });
}
at("show").addEventListener("change", ({ target }) => {
  at("password").type = target.checked ? "text" : "password";
});
at("again").addEventListener("click", look);
at("form").addEventListener("submit", use);
look();
