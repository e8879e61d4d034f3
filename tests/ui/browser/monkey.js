// Runs in every document that the monkey opens: finds controls, and reports what the page shows at each press.
(() => {
  if (window !== window.top || window.monkey) return;
  const CONTROLS = [
    "button", "a[href]", "input:not([type=file])", "textarea", "label[data-rac]", "[role=option]", "[role=slider]",
    "summary", "canvas", ".nsewdrag",
  ].join();
  const FIELDS = ["all-", "seeds", "field-", "name-"].map((prefix) => `[class*="st-key-${prefix}"]`).join();
  const CHANGES_NETWORKS = /^(show-|add-|duplicate$|remove$|compare-|question$|more-seeds$)/;

  // When the page and its server last told each other something, and whether the server has told something since.
  const traffic = { at: performance.now(), isAnswered: false };
  window.WebSocket = class extends WebSocket {
    constructor(...options) {
      super(...options);
      this.addEventListener("message", () => Object.assign(traffic, { at: performance.now(), isAnswered: true }));
    }
    send(data) {
      Object.assign(traffic, { at: performance.now(), isAnswered: false });
      super.send(data);
    }
  };

  const keyOf = (element) => {
    const holder = element.closest?.('[class*="st-key-"]');
    return [...(holder?.classList ?? [])].find((name) => name.startsWith("st-key-"))?.slice(7) ?? "";
  };
  const within = (key) => [...(key ? document.querySelectorAll(`.st-key-${CSS.escape(key)}`) : [document])]
    .flatMap((holder) => [...holder.querySelectorAll(CONTROLS)]);
  const find = ({ key, index }) => within(key)[index];
  const isMixed = (holder) => Boolean(holder.querySelector("[role=radio]")) // none of which is chosen
    || holder.querySelector("input")?.placeholder === "mixed" || /\bmixed\b/.test(holder.textContent);
  const textOf = (holder) => {
    const radio = holder.querySelector('[role=radio][aria-checked="true"]');
    const input = holder.querySelector("input");
    if (radio) return radio.textContent.trim();
    if (holder.querySelector("[role=radio]")) return "";
    return input?.type === "checkbox" ? input.checked : input?.value;
  };

  const edited = new Map(); // by key: the text that was last entered
  let pending = []; // presses that change the networks and that the address does not show yet
  let oneLeftAt = ""; // the address where one variant's settings were used last, and may not all be shown yet
  const sent = {}; // by key: what was last entered in the fields of all variants
  const showsOne = () => Boolean(document.querySelector('.st-key-settings [class*="st-key-name-"]'));
  const shown = () => {
    pending = pending.filter((press) => press.address === location.href);
    const fields = {};
    for (const holder of document.querySelectorAll(FIELDS)) {
      const [key, text] = [keyOf(holder), textOf(holder)];
      if (text === undefined) continue; // not drawn yet
      fields[key] = { text, edited: edited.get(key) === text, mixed: text === "" && isMixed(holder) };
    }
    for (const [key, field] of Object.entries(sent)) fields[key] ??= field;
    const isOneLeft = !showsOne() && oneLeftAt === location.href;
    const train = document.querySelector(".st-key-train button");
    return {
      address: location.href,
      fields,
      one: showsOne(),
      train: Boolean(train),
      pending: [...pending.map((press) => press.key), ...(isOneLeft ? ["one"] : [])],
    };
  };
  let reported = ""; // the fields in the last report
  const report = (press) => {
    const page = shown();
    reported = JSON.stringify(page.fields);
    console.debug(`monkey ${JSON.stringify({ press, ...page })}`);
  };

  const note = (key, holder) => {
    edited.set(key, textOf(holder));
    // Once the settings are closed, it is uncertain whether the value counts until the page shows it.
    if (/^(all-|seeds)/.test(key)) sent[key] = { text: textOf(holder), edited: false, mixed: false };
  };
  addEventListener("input", (event) => {
    const key = keyOf(event.target);
    const holder = key ? document.querySelector(`.st-key-${CSS.escape(key)}`) : null;
    if (holder?.matches(FIELDS)) note(key, holder);
  }, true);
  // What sends a value: a field that is left, a choice, Enter, or an arrow key.
  const onSent = (event) => setTimeout(() => {
    const holder = event.target.closest?.(FIELDS);
    if (holder) note(keyOf(event.target), holder);
    if (JSON.stringify(shown().fields) !== reported) report("edit");
  });
  for (const kind of ["pointerdown", "keydown", "input"]) {
    addEventListener(kind, () => { if (showsOne()) oneLeftAt = location.href; }, true);
  }
  addEventListener("focusout", onSent, true);
  addEventListener("click", onSent, true);
  addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) report("shortcut");
    else if (/^(Enter| |Arrow)/.test(event.key)) onSent(event);
  }, true);
  addEventListener("click", (event) => {
    const [key, control] = [keyOf(event.target), event.target.closest?.("button, a")];
    if (!control || control.disabled) return;
    if (key.startsWith("edit-")) edited.clear();
    if (key === "train" || key === "confirm" || key.startsWith("continue-") || key === "runs-continue") report(key);
    if (CHANGES_NETWORKS.test(key)) pending.push({ key, address: location.href });
  }, true);

  const isUsable = (element) => {
    const box = element.getBoundingClientRect();
    const link = element.closest("a[href]");
    // Streamlit's own: records the screen, prints, stops the script
    if (element.closest('[data-testid^="stMainMenu"], [data-testid="stStatusWidget"]')) return false;
    return box.width > 3 && box.height > 3 && !element.disabled && element.getAttribute("aria-disabled") !== "true"
      && element.checkVisibility({ visibilityProperty: true }) && (!link || link.origin === location.origin);
  };
  const isTop = (element) => {
    const box = element.getBoundingClientRect();
    const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return top !== null && (element.contains(top) || top.contains(element));
  };
  const kindOf = (element) => {
    if (element.matches("[role=option]")) return "option";
    if (element.matches("[role=slider], input[type=range]")) return "slide";
    if (element.matches("canvas, .nsewdrag")) return "area";
    if (element.matches("input[role=combobox]")) return "button";
    if (element.matches("input[type=text], input[type=number], input:not([type]), textarea")) return "field";
    if (element.closest('[data-testid="stSidebarNav"]')) return "page";
    return element.matches("input") ? "none" : "button";
  };
  window.monkey = {
    // Whether everything was handled: nothing runs, and nothing was said for some milliseconds.
    rests: (quiet) => {
      const app = document.querySelector("[data-test-script-state]");
      const isAtRest = app?.dataset.testScriptState === "notRunning" && app.dataset.testConnectionState === "CONNECTED";
      if (!isAtRest || !traffic.isAnswered || performance.now() - traffic.at < quiet) return false;
      pending = [];
      oneLeftAt = "";
      for (const key of Object.keys(sent)) delete sent[key];
      return true;
    },
    // The controls of a kind that can be used: their key, index among the controls of the key, and name.
    controls: (kind) => [...document.querySelectorAll(CONTROLS)].flatMap((element) => {
      if (!isUsable(element) || kindOf(element) !== kind) return [];
      const [key, name] = [keyOf(element), element.getAttribute("aria-label") ?? element.textContent.trim()];
      return [{ key, index: within(key).indexOf(element), label: name.slice(0, 40) }];
    }),
    // The middle of a control after it is scrolled into view; null if it is gone or covered.
    middle: (target) => {
      const element = find(target);
      if (!element?.isConnected || !isUsable(element)) return null;
      if (!isTop(element)) element.scrollIntoView({ block: "center" });
      if (!isTop(element)) return null;
      const box = element.getBoundingClientRect();
      return { x: box.x + box.width / 2, y: box.y + box.height / 2, width: box.width, height: box.height };
    },
  };
})();
