/** The conversation in writing: one line for everything that was said, in its script, in the order of the call. */

import { languageOf } from "./persona.js";

/** @typedef {{name: string, language: string, hue: number}} Heading from here on this persona speaks */

export class Captions {
  /** @type {Map<string, HTMLElement>} item_id to its words */
  #items = new Map();
  /** @type {(import("./call.js").Caption | Heading)[]} what is shown, in its order */
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

  /** @param {(import("./call.js").Caption | Heading)[]} kept by the page before */
  take(kept) {
    this.clear();
    for (const one of kept) {
      if ("item_id" in one) this.show(one);
      else this.introduce(one.name, one.language, one.hue);
    }
  }

  /** The call is over: what was not written down never will be. */
  leave() {
    this.#items.clear();
    for (const words of this.#pending.splice(0)) this.#unheard(words);
  }

  /**
   * From here on this persona speaks.
   * @param {string} name
   * @param {string} language English name or code
   * @param {number} hue
   */
  introduce(name, language, hue) {
    this.name = name;
    this.language = language;
    this.hue = hue;
    this.#shown.push({ name, language, hue });
    const heading = document.createElement("p");
    heading.className = "with";
    heading.dir = "auto";
    heading.textContent = `On the line: ${name}`;
    this.add(heading);
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
    const known = this.#items.get(id) ?? (role === "user" && this.#pending.shift());
    const words = known || this.#line(role);
    this.#items.set(id, words);
    const place = this.#shown.findLastIndex((one) => "item_id" in one && one.item_id === id);
    if (place < 0) this.#shown.push(caption);
    else this.#shown[place] = caption;
    this.#write(words, text);
    words.parentElement.hidden = !text; // it was interrupted before a word of it was heard
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

  /** @param {HTMLElement} line */
  add(line) {
    this.log.append(line);
    this.log.scrollTop = this.log.scrollHeight;
  }
}
