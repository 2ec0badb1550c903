/** The astrologers to choose from, and the two filters over them. */

import { rate } from "./bill.js";
import { face, hue, languageOf, standing } from "./persona.js";

/** @typedef {import("./persona.js").Persona} Persona */

const PLACES = ["name", "speciality", "language", "about", "price", "adults"];

export class Cards {
  /** @type {Map<string, HTMLButtonElement>} */
  #buttons = new Map();
  #marked = "";

  /**
   * @param {HTMLElement} list
   * @param {HTMLTemplateElement} template of one card
   * @param {HTMLFormElement} filters
   * @param {HTMLElement} count says how many are shown
   * @param {(persona: Persona) => void} chosen
   */
  constructor(list, template, filters, count, chosen) {
    this.list = list;
    this.template = template;
    this.filters = filters;
    this.count = count;
    this.chosen = chosen;
    /** @type {Persona[]} */
    this.people = [];
    filters.addEventListener("change", () => this.#filter());
    filters.addEventListener("submit", (event) => event.preventDefault());
  }

  /** @param {Persona[]} people as they are now */
  show(people) {
    const focused = this.list.contains(document.activeElement) ? document.activeElement.dataset.id : "";
    this.people = people;
    this.#buttons = new Map(people.map((persona) => [persona.astrologer_id, this.#card(persona)]));
    this.list.replaceChildren(...[...this.#buttons.values()].map((button) => button.parentElement));
    this.mark(this.#marked);
    if (focused) this.#buttons.get(focused)?.focus({ preventScroll: true });
    this.#offer("language");
    this.#offer("speciality");
    this.#filter();
  }

  /**
   * Mark who is on the line, or nobody.
   * @param {string} [id]
   */
  mark(id = "") {
    this.#marked = id;
    for (const [each, button] of this.#buttons) {
      const words = each === id ? "On the line" : button.dataset.standing;
      const place = button.querySelector(".standing");
      if (place.textContent === words) continue;
      place.textContent = words;
      button.ariaCurrent = each === id ? "true" : null;
    }
  }

  /**
   * Words of the server with a name for every id, to be pressed.
   * @param {string} words
   * @returns {(string | HTMLButtonElement)[]}
   */
  named(words) {
    const people = new Map(this.people.map((persona) => [persona.astrologer_id, persona]));
    return words.split(/\b([a-z0-9_]+)\b/).map((word) => {
      const persona = people.get(word);
      if (!persona) return word;
      return word === this.#marked ? persona.name : this.#link(persona);
    });
  }

  /** @param {Persona} persona */
  #link(persona) {
    const onclick = () => this.chosen(persona);
    const looks = { type: "button", className: "link", dir: "auto", textContent: persona.name };
    return Object.assign(document.createElement("button"), looks, { onclick });
  }

  /**
   * Where the keyboard goes on after a call.
   * @param {string} id
   */
  focus(id) {
    this.#buttons.get(id)?.focus();
  }

  /** @param {Persona} persona */
  #card(persona) {
    const button = this.template.content.cloneNode(true).querySelector("button");
    const lang = languageOf(persona.persona, persona.language);
    button.style.setProperty("--hue", String(hue(persona.astrologer_id)));
    button.querySelector(".face").append(face(persona.name));
    button.querySelector(".about").lang = lang;
    const price = persona.pricing ? rate(persona.pricing) : "";
    const words = { ...persona, about: persona.persona, price, adults: persona.adults_only === true ? "18+" : "" };
    for (const place of PLACES) button.querySelector(`.${place}`).textContent = words[place];
    button.classList.toggle("shut", !persona.open);
    button.dataset.standing = standing(persona);
    button.dataset.id = persona.astrologer_id;
    button.disabled = persona.status !== "active";
    button.addEventListener("click", () => this.chosen(persona));
    return button;
  }

  /** @param {"language" | "speciality"} field */
  #offer(field) {
    const values = [...new Set(this.people.map((persona) => persona[field]))].sort((a, b) => a.localeCompare(b));
    const select = this.filters.elements[field];
    const chosen = values.includes(select.value) ? select.value : "";
    select.replaceChildren(select.options[0], ...values.map((value) => new Option(value, value)));
    select.value = chosen;
  }

  #filter() {
    const { language, speciality } = this.filters.elements;
    let shown = 0;
    for (const persona of this.people) {
      const fits = [language, speciality].every(({ name, value }) => !value || persona[name] === value);
      this.#buttons.get(persona.astrologer_id).parentElement.hidden = !fits;
      shown += Number(fits);
    }
    this.count.textContent = shown === 1 ? "1 astrologer" : `${shown || "No"} astrologers`;
  }
}
