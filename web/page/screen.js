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
const JUST_SPEAK = "Just speak, also while you are being spoken to";
const MUTED = "Muted: tap to be heard";

/** @type {Record<State, (name: string, why: string) => string>} */
const WORDS = {
  choosing: () => "Choose whom you want to talk to.",
  connecting: (name) => `Calling ${name}…`,
  listening: (name) => `${name} is listening.`,
  recording: (name) => `${name} is listening: speak now.`,
  hearing: (name) => `${name} hears you.`,
  muted: (name) => `${name} is listening, but you are muted.`,
  thinking: (name) => `${name} is thinking…`,
  speaking: (name) => `${name} is speaking.`,
  reconnecting: (name) => `Reconnecting to ${name}…`,
  interrupted: (name) => `The sound was taken by your telephone: tap anywhere to go on with ${name}.`,
  silent: (name) => `Your browser waits for a tap: tap anywhere to hear ${name}.`,
  background: (name) => `${name} is on the line, in the background.`,
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
   * @param {{hold: boolean, latched: boolean, muted: boolean}} talking by holding the button; it was tapped, not held
   * @returns {State}
   */
  show(conversation, { hold, latched, muted }) {
    const before = this.#state;
    const state = (this.#state = conversation?.state ?? "choosing");
    const who = conversation?.wanted;
    document.body.dataset.state = state;
    this.#name(who);
    write("state", WORDS[state](who?.name ?? "", conversation?.ending?.why ?? ""));
    write("deed", hold ? (state !== "recording" ? HOLD : latched ? TAP_AGAIN : LET_GO) : muted ? MUTED : JUST_SPEAK);
    document.body.dataset.way = hold ? "hold" : "stream";
    find("mute").setAttribute("aria-pressed", String(muted));
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
