// Runs in every document that the monkey opens: finds controls, and reports what the page shows at each press.
(() => {
  if (window !== window.top || window.monkey) return;
  const CONTROLS = [
    "button", "a[href]", "input:not([type=file])", "textarea", "label[data-rac]", "[role=option]", "[role=slider]",
    "summary", "canvas", ".nsewdrag",
  ].join();
  const FIELDS = ["all-", "seeds", "field-", "name-"].map((prefix) => `[class*="st-key-${prefix}"]`).join();
  const CHANGES_NETWORKS = /^(show-|add-|duplicate$|remove$|compare-)/;
  const MAX_PENDING_MS = 20000;

  const keyOf = (element) => {
    const holder = element.closest?.('[class*="st-key-"]');
    return [...(holder?.classList ?? [])].find((name) => name.startsWith("st-key-"))?.slice(7) ?? "";
  };
  const within = (key) => [...(key ? document.querySelectorAll(`.st-key-${CSS.escape(key)}`) : [document])]
    .flatMap((holder) => [...holder.querySelectorAll(CONTROLS)]);
  const find = ({ key, index }) => within(key)[index];
  const textOf = (holder) => {
    const radio = holder.querySelector('[role=radio][aria-checked="true"]');
    const input = holder.querySelector("input");
    if (radio) return radio.textContent.trim();
    return input?.type === "checkbox" ? input.checked : input?.value;
  };

  const edited = new Map(); // by key: the text that was last entered
  let pending = []; // presses that change the networks and that the address does not show yet
  const shown = () => {
    pending = pending.filter((press) => press.address === location.href && Date.now() - press.at < MAX_PENDING_MS);
    const fields = {};
    for (const holder of document.querySelectorAll(FIELDS)) {
      const [key, text] = [keyOf(holder), textOf(holder)];
      if (text === undefined) continue; // not drawn yet
      const input = holder.querySelector("input");
      fields[key] = { text, edited: edited.get(key) === text, mixed: input?.placeholder === "mixed" };
    }
    const train = document.querySelector(".st-key-train button");
    return {
      address: location.href,
      fields,
      dialog: Boolean(document.querySelector("[role=dialog] .st-key-done")),
      train: train ? (train.disabled ? "disabled" : "enabled") : "absent",
      pending: pending.map((press) => press.key),
      networks: [...document.querySelectorAll('[class*="st-key-card-"] strong')].map((name) => name.textContent),
    };
  };
  let reported = ""; // the fields in the last report
  const report = (press) => {
    const page = shown();
    reported = JSON.stringify(page.fields);
    console.debug(`monkey ${JSON.stringify({ press, at: Date.now() / 1000, ...page })}`);
  };

  addEventListener("input", (event) => {
    const key = keyOf(event.target);
    const holder = key ? document.querySelector(`.st-key-${CSS.escape(key)}`) : null;
    if (holder?.matches(FIELDS)) edited.set(key, textOf(holder));
  }, true);
  // What sends a value: a field that is left, a choice, Enter, or an arrow key.
  const onSent = (event) => setTimeout(() => {
    const holder = keyOf(event.target) ? event.target.closest(FIELDS) : null;
    if (holder) edited.set(keyOf(event.target), textOf(holder));
    if (JSON.stringify(shown().fields) !== reported) report("edit");
  });
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
    if (key === "train" || key.startsWith("continue-") || key === "runs-continue") report(key);
    if (CHANGES_NETWORKS.test(key)) pending.push({ key, address: location.href, at: Date.now() });
  }, true);

  const isUsable = (element) => {
    const box = element.getBoundingClientRect();
    const link = element.closest("a[href]");
    if (element.closest('[data-testid^="stMainMenu"]')) return false; // Streamlit's own: records the screen, prints
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
