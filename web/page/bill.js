/** What a call takes, in words: the time and the money, as the server meters them. */

/**
 * So much money on the wire: `amount` in the smallest unit of `currency`, which has `digits` digits.
 * @typedef {{amount: number, currency: string, digits: number}} Amount
 */

/** How long the call has lasted, and for how much: told by the server now and then, counted in between. */
export class Meter {
  #ms = 0;
  #since = NaN; // while it stands still
  #rate = "";
  #free = false;
  #spent = "";

  /**
   * Somebody is on the line.
   * @param {Amount & {per_minute: number, free_seconds: number}} [price]
   */
  serve(price) {
    this.#rate = price ? rate({ ...price, per_minute: price.per_minute / 10 ** price.digits }) : "";
    this.run();
  }

  /** Nothing is charged from here on. */
  free() {
    this.rest();
    this.#free = true;
  }

  run() {
    this.rest();
    if (this.#free) return;
    this.#since = performance.now();
  }

  /** Nobody is there to talk to. */
  rest() {
    this.#ms = this.#now;
    this.#since = NaN;
  }

  /** @param {{seconds: number, price: Amount[]}} bill by now */
  correct({ seconds, price }) {
    this.#ms = seconds * 1000;
    this.#since = performance.now();
    this.#spent = `${sum(price)} so far`;
  }

  /** For another page, which goes on with it. */
  get kept() {
    return { ms: this.#now, rate: this.#rate, spent: this.#spent, free: this.#free };
  }

  /** @param {{ms: number, rate: string, spent: string, free: boolean}} kept */
  take({ ms, rate, spent, free }) {
    [this.#ms, this.#rate, this.#spent, this.#free] = [ms, rate, spent, free];
  }

  /** Such as "2 min 5 s · ₹10 a minute · ₹20 so far"; "" before anybody was there. */
  get words() {
    const time = this.#now ? duration(Math.floor(this.#now / 1000)) : "";
    return [time, this.#free ? "free of charge" : this.#rate, this.#spent].filter(Boolean).join(" · ");
  }

  get #now() {
    return this.#ms + (performance.now() - this.#since || 0);
  }
}

/**
 * A summary of the wire as a table: with whom, how long, and for how much where anybody has a price.
 * @param {{seconds: number, by_persona: {name: string, seconds: number, price?: Amount}[], price?: Amount[]}} summary
 */
export function receipt({ seconds, by_persona: stays, price }) {
  const table = document.createElement("table");
  const body = table.createTBody();
  table.className = "receipt";
  table.createCaption().textContent = "You spoke with";
  for (const { name, seconds: long, price: due } of stays) row(body, name, long, price && (due ? [due] : []));
  if (stays.length > 1) row(table.createTFoot(), "Altogether", seconds, price);
  return table;
}

/**
 * @param {HTMLTableSectionElement} part
 * @param {string} name
 * @param {number} seconds
 * @param {Amount[]} [price] no column where it is left out
 */
function row(part, name, seconds, price) {
  const line = part.insertRow();
  const who = document.createElement("th");
  who.scope = "row";
  who.dir = "auto";
  who.textContent = name;
  line.append(who);
  line.insertCell().textContent = duration(seconds);
  if (price) line.insertCell().textContent = sum(price);
}

/**
 * Such as "₹10 a minute, the first 30 s free".
 * @param {{per_minute: number, currency: string, free_seconds?: number, rounding?: string}} pricing in whole units
 */
export function rate({ per_minute: each, currency, free_seconds: free, rounding }) {
  const minute = rounding === "minute" ? "for each minute begun" : "a minute";
  return `${money(each, currency)} ${minute}${free ? `, the first ${duration(free)} free` : ""}`;
}

/** @param {number} seconds */
function duration(seconds) {
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60];
  return [minutes && `${minutes} min`, (rest || !minutes) && `${rest} s`].filter(Boolean).join(" ");
}

/** @param {Amount[]} amounts one for each currency */
function sum(amounts) {
  return amounts.map(({ amount, currency, digits }) => money(amount / 10 ** digits, currency)).join(" + ");
}

/**
 * @param {number} amount in whole units
 * @param {string} currency
 */
function money(amount, currency) {
  try {
    const format = { style: "currency", currency, trailingZeroDisplay: "stripIfInteger" };
    return new Intl.NumberFormat("en", format).format(amount);
  } catch { // no currency that the browser could write
    return `${amount} ${currency}`;
  }
}
