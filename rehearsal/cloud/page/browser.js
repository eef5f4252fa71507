/* global document, window, fetch, setTimeout, setInterval, DOMParser, Node, FormData, AbortSignal, HTMLElement */
/**
 * The status page's own script. It fetches the page every two seconds and brings what is shown up to date in place, so that
 * scroll position, opened parts, dialogues and selections stay; it runs in the browser only.
 */
(() => {
  const { token, up: upCommand, status: statusCommand } = document.body.dataset;
  /** Milliseconds. */
  const pause = { between: 2000, timeout: 8000 };

  const call = (method, path, body) =>
    fetch(path, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { "content-type": "application/json" }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      cache: "no-store",
      signal: AbortSignal.timeout(pause.timeout),
    });

  /** What the reader has changed is the reader's: whether a part is open, and what a script has written. */
  const isOwn = (element, name) => name === "open" && ["DETAILS", "DIALOG"].includes(element.tagName);

  function updateAttributes(shown, wanted) {
    for (const { name, value } of [...wanted.attributes]) {
      if (!isOwn(shown, name) && shown.getAttribute(name) !== value) shown.setAttribute(name, value);
    }
    for (const { name } of [...shown.attributes]) {
      if (!isOwn(shown, name) && !wanted.hasAttribute(name)) shown.removeAttribute(name);
    }
  }

  const isSame = (a, b) => a.nodeType === b.nodeType && a.nodeName === b.nodeName && (a.id ?? "") === (b.id ?? "");

  /** Makes the children of one element those of another, and keeps the elements that are in both. */
  function update(shown, wanted) {
    if (shown.isEqualNode(wanted)) return;
    const byId = new Map([...shown.children].filter(({ id }) => id !== "").map((one) => [one.id, one]));
    let at = shown.firstChild;
    for (const next of [...wanted.childNodes]) {
      const known = next.id ? byId.get(next.id) : undefined;
      if (known && known !== at && isSame(known, next)) shown.insertBefore(known, at);
      const same = known && isSame(known, next) ? known : at && !at.id && isSame(at, next) ? at : undefined;
      if (!same) {
        shown.insertBefore(document.importNode(next, true), at);
        continue;
      }
      at = same.nextSibling;
      if (same.nodeType !== Node.ELEMENT_NODE) {
        if (same.nodeValue !== next.nodeValue) same.nodeValue = next.nodeValue;
      } else if (!["live", "fault-error"].includes(same.id) && !same.classList.contains("error")) {
        updateAttributes(same, next);
        if (same.tagName !== "TIME") update(same, next);
      }
    }
    while (at) {
      const following = at.nextSibling;
      at.remove();
      at = following;
    }
  }

  function passed(milliseconds) {
    const seconds = Math.max(0, Math.round(milliseconds / 1000));
    if (seconds < 5) return "just now";
    if (seconds < 60) return `${seconds} s ago`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
    return seconds < 86_400 ? `${Math.floor(seconds / 3600)} h ago` : `${Math.floor(seconds / 86_400)} d ago`;
  }

  function showTimes() {
    for (const one of document.querySelectorAll("time")) {
      const text = passed(Date.now() - Date.parse(one.dateTime));
      if (one.textContent !== text) one.textContent = text;
    }
  }

  let answered = Date.now();
  let trouble = "";

  function showSilence() {
    const silence = document.getElementById("silence");
    const live = document.getElementById("live");
    document.body.classList.toggle("silent", trouble !== "");
    silence.hidden = trouble === "";
    live.classList.toggle("off", trouble !== "");
    live.textContent = trouble === "" ? "live" : "";
    if (trouble === "") return;
    const since = new Date(answered).toLocaleTimeString();
    silence.textContent = `${trouble} What is below is of ${since}, ${passed(Date.now() - answered)}.`;
  }

  async function refresh() {
    try {
      const response = await call("GET", "/rehearsal/page");
      if (response.status === 401) {
        trouble = `Another cloud answers here now; ${statusCommand} prints the address of this one.`;
      } else if (!response.ok) {
        trouble = `The cloud answered ${response.status}.`;
      } else {
        const next = new DOMParser().parseFromString(await response.text(), "text/html");
        document.title = next.title;
        const [icon, nextIcon] = [document, next].map((one) => one.querySelector("link[rel=icon]"));
        if (icon.href !== nextIcon.href) icon.href = nextIcon.href;
        update(document.querySelector("main"), next.querySelector("main"));
        answered = Date.now();
        trouble = "";
      }
    } catch {
      trouble = `The cloud does not answer. Start it: ${upCommand}.`;
    }
    showTimes();
    showSilence();
  }

  async function run() {
    // Nobody looks at a page in the background.
    if (!document.hidden) await refresh();
    setTimeout(run, pause.between);
  }

  /** @returns what the cloud says against it; empty: it is done */
  async function ask(method, path, body) {
    try {
      const response = await call(method, path, body);
      if (response.ok) return "";
      const { error } = await response.json();
      return error ?? `The cloud answered ${response.status}.`;
    } catch {
      return "The cloud does not answer.";
    }
  }

  /** The fault that a dialogue's form describes. */
  function faultOf(form) {
    const fault = { kind: form.dataset.kind, ...JSON.parse(form.dataset.fixed) };
    for (const [name, value] of new FormData(form)) {
      const kind = form.querySelector(`[name="${name}"]`).dataset.as;
      if (kind === "list") fault[name] = [...(fault[name] ?? []), value];
      else fault[name] = kind === "number" ? Number(value) : value;
    }
    return fault;
  }

  document.addEventListener("click", async ({ target }) => {
    const button = target instanceof HTMLElement ? target.closest("button") : null;
    const { open, remove } = button?.dataset ?? {};
    if (open) document.getElementById(open)?.showModal();
    if (remove) {
      button.disabled = true;
      const refused = await ask("DELETE", `/rehearsal/faults${remove === "all" ? "" : `/${remove}`}`);
      button.disabled = false;
      document.getElementById("fault-error").textContent = refused;
      await refresh();
    }
  });

  document.addEventListener("submit", async (event) => {
    event.preventDefault();
    const form = event.target;
    const dialog = form.closest("dialog");
    const said = form.querySelector(".error");
    said.textContent = "";
    if (event.submitter?.value === "confirm") {
      event.submitter.disabled = true;
      said.textContent = await ask("POST", "/rehearsal/faults", faultOf(form));
      event.submitter.disabled = false;
      if (said.textContent !== "") return;
      void refresh();
    }
    dialog.close();
  });

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) void refresh();
  });
  window.addEventListener("pageshow", showTimes);
  setInterval(() => {
    showTimes();
    if (trouble !== "") showSilence();
  }, 1000);
  showTimes();
  showSilence();
  setTimeout(run, pause.between);
})();
