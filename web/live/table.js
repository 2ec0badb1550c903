/** The table of calls: a row for each, which is changed in place, so that the keyboard stays where it is. */

/**
 * @typedef {{session: string, user: string, began: number, worker?: string, persona?: string, state?: string,
 *   mode?: string, leg?: number, coming?: number, mailbox?: number, heard_ms?: number, spoken_ms?: number,
 *   phases?: Record<string, number>}} Row
 */

/** @param {string} id */
export const find = (id) => document.getElementById(id);

export class Table {
  /** @type {Map<string, HTMLTableRowElement>} */
  #rows = new Map();

  /**
   * @param {HTMLTableElement} table
   * @param {HTMLTemplateElement} template of one row
   * @param {(session: string) => void} end
   */
  constructor(table, template, end) {
    this.table = table;
    this.body = table.tBodies[0];
    this.template = template;
    this.end = end;
  }

  /**
   * @param {string[]} order the sessions that are shown
   * @param {Row[]} changed those of them that are new, or other than before
   */
  show(order, changed) {
    for (const row of changed) this.#fill(this.#rows.get(row.session) ?? this.#make(row.session), row);
    const kept = new Set(order);
    for (const [session, row] of this.#rows) {
      if (!kept.has(session)) {
        row.remove();
        this.#rows.delete(session);
      }
    }
    order.forEach((session, place) => {
      const row = this.#rows.get(session);
      if (row && this.body.rows[place] !== row) this.body.insertBefore(row, this.body.rows[place] ?? null);
    });
    this.tick();
  }

  clear() {
    this.show([], []);
  }

  /** The server has been asked to end this call. @param {string} session */
  ends(session) {
    const button = this.#rows.get(session)?.querySelector("button");
    if (!button) return;
    button.textContent = "Ends soon";
    button.disabled = true;
  }

  /** A second has passed. */
  tick() {
    for (const row of this.#rows.values()) {
      write(row, "lasts", clock(Math.max(0, Math.round(Date.now() / 1000 - Number(row.dataset.began)))));
    }
  }

  /** @param {string} session */
  #make(session) {
    const row = this.template.content.cloneNode(true).querySelector("tr");
    const button = row.querySelector("button");
    button.setAttribute("aria-label", `End ${session}`);
    button.addEventListener("click", () => this.end(session));
    this.#rows.set(session, row);
    return row;
  }

  /**
   * @param {HTMLTableRowElement} row
   * @param {Row} told
   */
  #fill(row, told) {
    row.dataset.is = told.state ?? "";
    row.dataset.began = String(told.began);
    write(row, "session", told.session);
    write(row, "caller", told.user);
    write(row, "worker", told.worker ?? "");
    if (told.worker) this.table.classList.add("workers"); // a server by itself has no such column
    write(row, "state", told.state ?? "beginning");
    write(row, "persona", told.persona ? `${told.persona} (${told.mode})` : "nobody");
    write(row, "leg", told.leg ? `${told.leg}${told.coming ? ` → ${told.coming}` : ""}` : told.coming ? `→ ${told.coming}` : "none");
    write(row, "mailbox", String(told.mailbox ?? 0));
    write(row, "heard", seconds(told.heard_ms));
    write(row, "spoken", seconds(told.spoken_ms));
    const phases = Object.entries(told.phases ?? {}).map(([name, took]) => `${name.replace("_", " ")} ${took.toFixed(2)}`);
    write(row, "phases", phases.join(", ") || "none");
  }
}

/** @param {number} [ms] */
const seconds = (ms = 0) => `${(ms / 1000).toFixed(1)} s`;

/** @param {number} lasted in seconds */
const clock = (lasted) => {
  const pair = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(lasted / 3600), Math.floor(lasted / 60) % 60];
  return hours ? `${hours}:${pair(minutes)}:${pair(lasted % 60)}` : `${minutes}:${pair(lasted % 60)}`;
};

/**
 * @param {HTMLTableRowElement} row
 * @param {string} name
 * @param {string} words
 */
function write(row, name, words) {
  const place = row.querySelector(`.${name}`);
  if (place.textContent !== words) place.textContent = words;
}
