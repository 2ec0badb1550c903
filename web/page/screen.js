/** What the page shows of a call, in words and in colours. */

import { face, hue } from "./persona.js";

/**
 * @typedef {import("./conversation.js").Conversation} Conversation
 * @typedef {import("./conversation.js").State} State
 */

const TITLE = document.title;
const HOLD = "Hold to talk";
const LET_GO = "Let go to send";
const TAP_AGAIN = "Tap again to send";

/** @type {Record<State, (name: string, why: string) => string>} */
const WORDS = {
  choosing: () => "Choose whom you want to talk to.",
  connecting: (name) => `Calling ${name}…`,
  listening: (name) => `${name} is listening.`,
  recording: (name) => `${name} is listening: speak now.`,
  thinking: (name) => `${name} is thinking…`,
  speaking: (name) => `${name} is speaking.`,
  ended: (name, why) => `The call has ended: ${why}.`,
};

/** @param {string} id */
export const find = (id) => document.getElementById(id);

export class Screen {
  /** @type {State} */
  #state = "choosing";
  #face = "";

  /**
   * Everything as it is now; returns the state that was shown before.
   * @param {Conversation | null} conversation
   * @param {boolean} latched the button was tapped, not held
   * @returns {State}
   */
  show(conversation, latched) {
    const before = this.#state;
    const state = (this.#state = conversation?.state ?? "choosing");
    const who = conversation?.wanted;
    document.body.dataset.state = state;
    this.#name(who);
    write("state", WORDS[state](who?.name ?? "", conversation?.ending?.why ?? ""));
    write("deed", state !== "recording" ? HOLD : latched ? TAP_AGAIN : LET_GO);
    find("call").hidden = !who;
    find("ended").hidden = state !== "ended";
    find("tools").hidden = state === "ended";
    find("talk").setAttribute("aria-disabled", String(!conversation?.answered));
    find("talk").setAttribute("aria-pressed", String(state === "recording"));
    return before;
  }

  /**
   * Something the caller should know; nothing when it is past.
   * @param {(string | Node)[]} words
   */
  tell(words) {
    find("problem").replaceChildren(...words);
  }

  /** @param {Conversation | null} conversation how long it has lasted, and for how much */
  time(conversation) {
    write("meter", conversation?.meter.words ?? "");
  }

  /**
   * Why there is no microphone, and what to do.
   * @param {string} words
   */
  hint(words) {
    write("hint", words);
    find("hint").hidden = !words;
  }

  /**
   * Nobody can be called, and why.
   * @param {string} words
   */
  warn(words) {
    write("away", words);
    find("away").hidden = !words;
  }

  /** @param {import("./persona.js").Persona} [who] */
  #name(who) {
    const id = who?.astrologer_id ?? "";
    if (id === this.#face) return;
    this.#face = id;
    write("title", who?.name ?? TITLE);
    document.title = who ? `${who.name} · ${TITLE}` : TITLE;
    document.body.style.setProperty("--hue", who ? String(hue(id)) : "");
    find("portrait").replaceChildren(...(who ? [face(who.name)] : []));
  }
}

/**
 * Only what is new is written: a live region would read it out again.
 * @param {string} id
 * @param {string} words
 */
function write(id, words) {
  const place = find(id);
  if (place.textContent !== words) place.textContent = words;
}
