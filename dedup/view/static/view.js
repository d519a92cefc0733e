// The keyboard, the decisions and the panes of every page. Without it, all pages can still be read.

const root = document.documentElement;
const page = {
  items: [...document.querySelectorAll("[data-item]")],
  panes: [...document.querySelectorAll("[data-pane]")],
  why: document.querySelector("#why"),
  status: document.querySelector("#status"),
  help: document.querySelector("#help"),
};
let version = Number(root.dataset.version);
let current = page.items.findIndex((item) => item.hasAttribute("aria-current"));

const say = (text) => {
  page.status.textContent = "";
  setTimeout(() => { page.status.textContent = text; }); // a screen reader notices the change, also of an equal text
};

const LAST = "dedup-view-last";
const remembered = () => JSON.parse(sessionStorage.getItem(LAST) ?? "[]");
const remember = (ids) => sessionStorage.setItem(LAST, JSON.stringify(ids.slice(-200)));

// where one is

const select = (index, focus = true) => {
  if (!page.items.length) return;
  current = Math.max(0, Math.min(index, page.items.length - 1));
  page.items.forEach((item, place) => {
    if (place === current) item.setAttribute("aria-current", "true");
    else item.removeAttribute("aria-current");
  });
  const item = page.items[current];
  if (focus) { // not while a pointer is pressed: a button that moves away from under it is not clicked
    item.focus({ preventScroll: true });
    item.scrollIntoView({ block: "nearest" });
  }
  showPlace(item.dataset.place);
};

const showPlace = (place) => {
  if (!page.panes.length || place === undefined) return;
  document.querySelectorAll(".here").forEach((mark) => mark.classList.remove("here"));
  const marks = page.panes[0].querySelectorAll(`[data-place="${CSS.escape(place)}"]`);
  marks.forEach((mark) => mark.classList.add("here"));
  if (marks.length) page.panes[0].scrollTop = marks[0].offsetTop - page.panes[0].clientHeight / 3;
};

const targetOf = (element) => element?.closest("[data-about], [data-decision-id].item") ?? null;

// decisions

const post = async (path, body) => {
  const answer = await fetch(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ version, ...body }),
  });
  const values = await answer.json().catch(() => ({ error: `the server answered ${answer.status}` }));
  if (!answer.ok) throw new Error(values.error);
  return values;
};

const whole = (text) => (text === undefined ? undefined : Number(text));

const decide = async (target, decision) => {
  if (!target?.dataset.about) return say("Nothing is chosen: press j first");
  const { about, number, place, rule, host } = target.dataset;
  const made = await post("/decide", {
    decision, about, number: whole(number), place: whole(place), rule, host, why: page.why.value,
  });
  version = made.version;
  const badge = target.querySelector("[data-state]");
  badge.className = `state ${made.decision}`;
  badge.dataset.decisionId = made.id;
  badge.textContent = made.words + (page.why.value ? `: ${page.why.value}` : "");
  remember([...remembered(), made.id]);
  say(made.words);
};

const undo = async (target) => {
  const badge = target?.querySelector("[data-state][data-decision-id]");
  const id = badge?.dataset.decisionId ?? (target?.dataset.about ? undefined : target?.dataset.decisionId) ?? remembered().at(-1);
  if (!id) return say("There is nothing to undo");
  const made = await post("/undo", { id });
  version = made.version;
  remember(remembered().filter((known) => known !== id));
  const shown = document.querySelectorAll(`[data-decision-id="${CSS.escape(id)}"]`);
  shown.forEach((element) => {
    const state = element.matches("[data-state]") ? element : element.querySelector("[data-state]");
    if (state) { state.textContent = ""; state.className = "state"; delete state.dataset.decisionId; }
    else { element.querySelector("[data-act]")?.remove(); element.classList.add("past"); }
  });
  say(shown.length ? made.words : "the last decision is undone");
};

const act = async (name, target, moveOn) => {
  try {
    await (name === "undo" ? undo(target) : decide(target, name));
    if (moveOn && name !== "undo" && current < page.items.length - 1) select(current + 1);
  } catch (error) {
    say(`Not kept: ${error.message}`);
  }
};

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-act]");
  if (button) {
    const item = button.closest("[data-item]");
    if (item) select(page.items.indexOf(item), false);
    act(button.dataset.act, targetOf(button), false);
  }
});

// keys

const KEYS = {
  j: () => select(current + 1),
  k: () => select(current - 1),
  a: () => act("accept", chosen(), true),
  r: () => act("reject", chosen(), true),
  u: () => act("undo", chosen(), false),
  n: () => document.querySelector("a[rel=next]")?.click(),
  p: () => document.querySelector("a[rel=prev]")?.click(),
  "/": () => (document.querySelector("#search") ?? { focus: () => location.assign("/findings#search") }).focus(),
  "?": () => page.help.showModal(),
};

const chosen = () => targetOf(document.activeElement) ?? targetOf(page.items[current]);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || page.help.open) return;
  const field = event.target.closest("input, select, textarea");
  if (field) {
    if (event.key === "Escape") field.blur();
    return;
  }
  if (event.key === "Enter" && document.activeElement === page.items[current]) {
    page.items[current].querySelector("[data-open]")?.click();
  } else if (Object.hasOwn(KEYS, event.key)) {
    event.preventDefault();
    KEYS[event.key]();
  }
});

document.querySelector("#help-button").addEventListener("click", () => page.help.showModal());
document.querySelector("#reload").addEventListener("click", () => location.reload());

page.items.forEach((item, place) => item.addEventListener("focusin", () => { if (place !== current) select(place, false); }));

// panes that scroll together: each by the share of its own length

if (page.panes.length === 2) {
  let leader = null;
  page.panes.forEach((pane, side) => {
    const other = page.panes[1 - side];
    ["pointerenter", "focusin", "wheel", "touchstart"].forEach((name) =>
      pane.addEventListener(name, () => { leader = pane; }, { passive: true }));
    pane.addEventListener("scroll", () => {
      if (leader !== null && leader !== pane) return;
      const share = pane.scrollTop / Math.max(1, pane.scrollHeight - pane.clientHeight);
      other.scrollTop = share * (other.scrollHeight - other.clientHeight);
    }, { passive: true });
  });
}
if (current >= 0) showPlace(page.items[current].dataset.place);
if (location.hash === "#search") document.querySelector("#search")?.focus();

// a reason is kept while one moves from page to page

page.why.value = sessionStorage.getItem("dedup-view-why") ?? "";
page.why.addEventListener("input", () => sessionStorage.setItem("dedup-view-why", page.why.value));

// what other windows have decided, and how much has been read

const watch = async () => {
  if (document.visibilityState !== "visible") return;
  const answer = await fetch("/state").catch(() => null);
  if (!answer?.ok) return;
  const state = await answer.json();
  document.querySelector("#share").textContent = `${Math.floor(100 * state.share)} %`;
  if (state.ready && root.dataset.ready === "no") location.reload();
  document.querySelector("#newer").hidden = state.version <= version;
};
setInterval(watch, root.dataset.ready === "no" ? 400 : 3000);
document.addEventListener("visibilitychange", watch);
