// The bar over GraphiQL: signing in and out, in Korean or English.

import { showEditor } from "/graphiql/editor.js?v={{version}}";
import { Refused, Session } from "/graphiql/session.js?v={{version}}";

const TEXTS = {
  en: {
    organization: "Organization domain",
    login: "Login ID",
    password: "Password",
    code: "Code of the second factor",
    demoPassword: "Demo password:",
    signIn: "Sign in",
    signOut: "Sign out",
    who: ({ member, organization }) => `${member} · ${organization}`,
    signedInAs: "Signed in as",
    signedIn: "Signed in. Every request now carries your session.",
    signedOut: "Signed out.",
    ended: "The session has ended. Please sign in again.",
    unreachable: "The server could not be reached. Please try again.",
    loading: "Loading…",
    examples: "Example operations",
    searchExamples: "Search the examples",
  },
  ko: {
    organization: "조직 도메인",
    login: "로그인 ID",
    password: "비밀번호",
    code: "2단계 인증 코드",
    demoPassword: "데모 비밀번호:",
    signIn: "로그인",
    signOut: "로그아웃",
    who: ({ member, organization }) => `${organization} · ${member}`,
    signedInAs: "로그인:",
    signedIn: "로그인했습니다. 이제 모든 요청이 이 세션으로 전송됩니다.",
    signedOut: "로그아웃했습니다.",
    ended: "세션이 끝났습니다. 다시 로그인해 주세요.",
    unreachable: "서버에 연결할 수 없습니다. 다시 시도해 주세요.",
    loading: "불러오는 중…",
    examples: "예제 작업",
    searchExamples: "예제 검색",
  },
};

const language = navigator.language.toLowerCase().startsWith("ko") ? "ko" : "en";
const texts = TEXTS[language];
const byId = (id) => document.getElementById(id);
const form = byId("sign-in");

function tell(message, isError = false) {
  byId("message").textContent = message;
  byId("message").classList.toggle("is-error", isError);
}

function showWho(session) {
  const { who } = session;
  form.hidden = Boolean(who);
  byId("signed-in").hidden = !who;
  byId("who-name").textContent = who ? texts.who(who) : "";
}

/** Fills in what the server gives away in demo mode: null elsewhere. */
function showHint() {
  const hint = JSON.parse(byId("hint").textContent);
  if (!hint) return;
  byId("organization").value = hint.organization;
  byId("login").value = hint.login;
  byId("hint-password").textContent = hint.password;
  byId("password-hint").hidden = false;
}

async function exampleOperations() {
  try {
    const answer = await fetch("/graphiql/operations.json");
    return answer.ok ? await answer.json() : [];
  } catch {
    return [];
  }
}

document.documentElement.lang = language;
for (const element of document.querySelectorAll("[data-text]")) {
  element.textContent = texts[element.dataset.text];
}
showHint();

let showAgain = () => {};
const session = new Session((ended) => {
  showWho(session);
  showAgain();
  if (ended) tell(texts.ended, true);
});
showWho(session);

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  if (button.disabled) return;
  const password = byId("password");
  const code = byId("code");
  button.disabled = true;
  tell("");
  try {
    await session.start(byId("organization").value.trim(), byId("login").value.trim(), password.value, code.value.trim() || undefined);
    password.value = "";
    code.value = "";
    byId("code-field").hidden = true;
    tell(texts.signedIn);
    byId("who").focus();
  } catch (error) {
    tell(error instanceof Refused ? error.message : texts.unreachable, true);
    const asksForCode = error instanceof Refused && error.codes.some((reason) => reason?.startsWith("SECOND_FACTOR_"));
    if (asksForCode) byId("code-field").hidden = false;
    const next = asksForCode ? code : password;
    next.focus();
    next.select();
  } finally {
    button.disabled = false;
  }
});

byId("sign-out").addEventListener("click", async () => {
  const ending = session.end();
  tell(texts.signedOut);
  (form.querySelector("input:invalid") ?? byId("password")).focus();
  try {
    await ending;
  } catch {
    // Signed out here all the same; the server lets the session run out.
  }
});

showAgain = showEditor(
  byId("editor"),
  await exampleOperations(),
  texts,
  (request, headers) => session.send(request, headers),
  (request, headers) => session.follow(request, headers),
);
