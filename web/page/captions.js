/** The conversation in writing: one line for everything that was said, in its script, in the order of the call. */

import { languageOf } from "./persona.js";

/**
 * @typedef {{name: string, language: string, hue: number, disclosure?: string}} Heading from here on this persona speaks
 * @typedef {{message: string, numbers: {name: string, number: string}[]}} Help whom to call
 * @typedef {{note: string}} Note of the page itself
 * @typedef {import("./call.js").Caption | Heading | Help | Note} Shown
 */

export class Captions {
  /** @type {Map<string, HTMLElement>} item_id to its words */
  #items = new Map();
  /** @type {Shown[]} what is shown, in its order */
  #shown = [];
  /** @type {HTMLElement[]} lines of the caller that the server has not written down yet */
  #pending = [];

  /** @param {HTMLElement} log */
  constructor(log) {
    this.log = log;
    this.language = "";
    this.name = "";
  }

  /** A new call begins. */
  clear() {
    this.log.replaceChildren();
    this.#shown = [];
    this.leave();
  }

  /** All that is written, for another page. */
  get kept() {
    return this.#shown;
  }

  /** @param {Shown[]} kept by the page before */
  take(kept) {
    this.clear();
    for (const one of kept) {
      if ("item_id" in one) this.show(one);
      else if ("numbers" in one) this.help(one.message, one.numbers);
      else if ("note" in one) this.note(one.note);
      else this.introduce(one.name, one.language, one.hue, one.disclosure);
    }
  }

  /** It is written whom to call. */
  get helps() {
    return this.#shown.some((one) => "numbers" in one);
  }

  /** Something that the caller said is not written down by the server yet. */
  get awaits() {
    return this.#pending.length > 0;
  }

  /** The call is over: what was not written down never will be, and another one counts its items anew. */
  leave() {
    this.#items.clear();
    this.#shown = this.#shown.map((one, n) => ("item_id" in one ? { ...one, item_id: `over ${n}` } : one));
    for (const words of this.#pending.splice(0)) this.#unheard(words);
  }

  /**
   * From here on this persona speaks.
   * @param {string} name
   * @param {string} language English name or code
   * @param {number} hue
   * @param {string} [disclosure] that an AI speaks, in the language
   */
  introduce(name, language, hue, disclosure) {
    this.name = name;
    this.language = language;
    this.hue = hue;
    this.#shown.push({ name, language, hue, disclosure });
    const heading = document.createElement("p");
    heading.className = "with";
    heading.dir = "auto";
    heading.textContent = `On the line: ${name}`;
    this.add(heading);
    if (!disclosure) return;
    const told = document.createElement("p");
    told.className = "disclosure note";
    told.dir = "auto";
    this.add(told);
    this.#write(told, disclosure);
  }

  /**
   * The caller has just said this; "" for a clip, whose words come later.
   * @param {string} text
   */
  said(text) {
    const words = this.#line("user");
    this.#pending.push(words);
    this.#write(words, text || "…");
  }

  /**
   * All words of an item so far; they come again when there are more.
   * @param {import("./call.js").Caption} caption
   */
  show(caption) {
    const { role, text, item_id: id } = caption;
    const known = this.#items.get(id) ?? (role === "user" && this.#claim(text));
    const words = known || this.#line(role);
    this.#items.set(id, words);
    const place = this.#shown.findLastIndex((one) => "item_id" in one && one.item_id === id);
    if (place < 0) this.#shown.push(caption);
    else this.#shown[place] = caption;
    this.#write(words, text);
    words.parentElement.hidden = !text; // it was interrupted before a word of it was heard
  }

  /** The persona has also said this; some of it may be written. @param {string} words */
  complete(words) {
    const said = this.#shown.filter((one) => "item_id" in one && one.role === "assistant");
    const text = said.reduce((rest, one) => rest.replace(one.text, ""), words).trim();
    if (text) this.show({ item_id: "unheard", role: "assistant", text, final: true });
  }

  /** The line of the caller that waits for these words: what they typed, a clip, or the oldest. @param {string} text */
  #claim(text) {
    const texts = this.#pending.map((words) => words.textContent);
    const place = Math.max(0, texts.includes(text) ? texts.indexOf(text) : texts.indexOf("…"));
    return this.#pending.splice(place, 1)[0];
  }

  /** The oldest of what the caller said could not be used. */
  drop() {
    const words = this.#pending.shift();
    if (words) this.#unheard(words);
  }

  /** @param {HTMLElement} words */
  #unheard(words) {
    if (words.textContent === "…") words.parentElement.remove();
    else words.parentElement.classList.add("unheard");
  }

  /**
   * @param {"user" | "assistant"} role
   * @returns {HTMLElement} where its words go
   */
  #line(role) {
    const line = document.createElement("p");
    line.className = `line ${role}`;
    if (role === "assistant") line.style.setProperty("--hue", String(this.hue));
    const who = document.createElement("span");
    who.className = "unseen";
    who.textContent = role === "user" ? "You: " : `${this.name}: `;
    const words = document.createElement("span");
    words.className = "words";
    words.dir = "auto";
    line.append(who, words);
    this.add(line);
    return words;
  }

  /**
   * @param {HTMLElement} words
   * @param {string} text
   */
  #write(words, text) {
    words.lang = languageOf(text, this.language);
    words.textContent = text;
    this.log.scrollTop = this.log.scrollHeight;
  }

  /**
   * Whom to call for help.
   * @param {string} message
   * @param {{name: string, number: string}[]} numbers
   */
  help(message, numbers) {
    this.log.querySelector(".help")?.remove(); // the newest stands at the end
    this.#shown = [...this.#shown.filter((one) => !("numbers" in one)), { message, numbers }];
    const help = document.createElement("div");
    help.className = "help note";
    const words = document.createElement("p");
    words.dir = "auto";
    const list = document.createElement("ul");
    for (const { name, number } of numbers) {
      const row = document.createElement("li");
      const link = document.createElement("a");
      link.href = /[a-z]/.test(number) ? `https://${number}` : `tel:${number.replace(/[^+\d]/g, "")}`;
      link.textContent = number;
      row.append(`${name}: `, link);
      list.append(row);
    }
    help.append(words, list);
    this.add(help);
    this.#write(words, message);
  }

  /** @param {string} words of the page itself, about what is written */
  note(words) {
    this.#shown.push({ note: words });
    const note = document.createElement("p");
    note.className = "note";
    note.textContent = words;
    this.add(note);
  }

  /** @param {HTMLElement} line */
  add(line) {
    this.log.append(line);
    this.log.scrollTop = this.log.scrollHeight;
  }
}
