/** One call as the caller lives it: who is on the line, whose turn it is, what is heard. It knows no page. */

import { Meter, receipt } from "./bill.js";
import { Call } from "./call.js";
import { hue } from "./persona.js";

/**
 * @typedef {import("./persona.js").Persona} Persona
 * @typedef {{microphone: import("./microphone.js").Microphone, player: import("./player.js").Player,
 *   captions: import("./captions.js").Captions}} Devices
 * @typedef {"choosing" | "connecting" | "listening" | "recording" | "thinking" | "speaking" | "ended"} State
 */

/** Of a choice: it is not granted. */
const NO_SUCH = ["unknown_astrologer", "inactive_astrologer", "closed_now", "language_not_served", "busy",
  "switch_too_often", "persona_switch_failed"];
const RECORD_MS = 110_000; // the server takes two minutes

export class Conversation {
  /** @type {import("./call.js").Ending | null} */
  ending = null;
  /** @type {Persona | null} who is on the line */
  persona = null;
  meter = new Meter();
  /** @type {Map<string, Persona>} everyone who was asked for in this call */
  #asked = new Map();
  /** @type {{response_id: string, audio: string}[]} what was said while another one was wanted */
  #held = [];
  #greeted = false;
  #owed = false; // something was said, and is not answered
  #limit = 0;

  /**
   * @param {string} user
   * @param {Persona} wanted who is called
   * @param {Devices} devices
   * @param {(words?: string) => void} changed the state, or with words: something to tell the caller
   */
  constructor(user, wanted, { microphone, player, captions }, changed) {
    this.#want(wanted);
    this.microphone = microphone;
    this.player = player;
    this.captions = captions;
    this.changed = changed;
    this.call = new Call(user, wanted.astrologer_id, (message) => this.#hear(message), (ending) => this.#end(ending));
  }

  /** @returns {State} */
  get state() {
    if (this.ending) return "ended";
    if (this.microphone.recording) return "recording";
    if (this.player.playing) return "speaking";
    if (!this.#greeted || this.persona !== this.wanted) return "connecting";
    return this.#owed ? "thinking" : "listening";
  }

  /** Somebody is there who can be talked to. */
  get answered() {
    return this.persona !== null && !this.ending;
  }

  /** @param {Persona} persona to talk to from now on */
  switchTo(persona) {
    if (persona.astrologer_id === this.wanted.astrologer_id) return;
    this.#want(persona);
    this.cancel();
    this.player.stop();
    this.call.say({ type: "config", astrologer_id: persona.astrologer_id });
    this.changed("");
  }

  /** @param {Persona} persona */
  #want(persona) {
    this.wanted = persona;
    this.#asked.set(persona.astrologer_id, persona);
  }

  /** The caller begins to speak: what plays falls silent. */
  begin() {
    if (this.player.playing) this.#interrupt();
    this.microphone.begin();
    this.#limit = setTimeout(() => this.finish(), RECORD_MS);
    this.changed("");
  }

  /** The caller has spoken: what was recorded is sent. */
  async finish() {
    clearTimeout(this.#limit);
    if (!this.microphone.recording) return;
    this.captions.said("");
    this.#owed = true;
    const clip = this.microphone.finish();
    this.changed();
    try {
      this.call.say({ type: "audio", audio: await clip });
    } catch (error) {
      this.#dropped();
      this.changed(`That was not recorded: ${error.message}`);
    }
  }

  /** What is being recorded is thrown away. */
  cancel() {
    clearTimeout(this.#limit);
    if (!this.microphone.recording) return;
    this.microphone.finish().catch(() => {});
    this.changed();
  }

  /** @param {string} text a typed turn */
  type(text) {
    if (this.player.playing) this.#interrupt();
    this.captions.said(text);
    this.#owed = true;
    this.call.say({ type: "text", text });
    this.changed("");
  }

  #interrupt() {
    this.player.stop();
    this.call.say({ type: "interrupt" });
  }

  #hear(message) {
    if (this.ending && message.type !== "summary") return;
    switch (message.type) {
      case "config_ack":
        return this.#meet(message);
      case "transcript":
        this.captions.show(message);
        if (message.item_id.endsWith(".0")) this.#greetSilently();
        return;
      case "audio_response":
        return this.#listen(message);
      case "clear":
        return this.#clear(message.response_id);
      case "notice":
        return this.#notice(message);
      case "error":
        return this.#fail(message);
      case "summary":
        return this.captions.add(receipt(message));
    }
  }

  #meet({ astrologer_id: id, name, language_code: code, price }) {
    const called = this.persona !== this.wanted; // another one may have been asked for since
    if (this.persona?.astrologer_id !== id) this.#held = [];
    this.persona = this.#asked.get(id);
    if (!called) this.wanted = this.persona; // the refusal was of somebody else
    this.meter.serve(price);
    this.#greeted = this.#owed = false;
    this.captions.introduce(name, code, hue(id));
    this.changed();
    this.#playHeld();
  }

  #listen(reply) {
    if (this.persona === this.wanted) this.#play(reply);
    else this.#held.push(reply); // the last words of whom the caller leaves, unless the one they asked for is refused
  }

  #playHeld() {
    if (this.persona === this.wanted) this.#held.splice(0).forEach((reply) => this.#play(reply));
  }

  #play({ response_id: id, audio }) {
    this.#greeted = true;
    this.#owed = false;
    if (this.microphone.recording) this.call.say({ type: "interrupt" }); // two do not speak at once
    else this.player.play(id, audio).catch(() => this.changed("The answer could not be played; it is written above."));
    this.changed();
  }

  /** A greeting that no voice can speak was written down: no audio follows. */
  #greetSilently() {
    this.#greeted = true;
    this.changed();
  }

  #notice({ code, message, ...bill }) {
    if (code === "minute") return this.meter.correct(bill);
    if (code === "switching" || code === "reconnecting") this.meter.rest();
    if (code === "switching") return this.#clear();
    if (code === "say_again") this.#dropped();
    if (code === "resumed") this.meter.run();
    return this.changed(code === "resumed" ? "" : message);
  }

  #fail({ code, message }) {
    const refused = NO_SUCH.includes(code) && this.persona !== this.wanted;
    if (!refused) this.#dropped();
    else if (this.persona) this.wanted = this.persona;
    else this.call.hangUp("it was not taken");
    if (code === "persona_switch_failed") this.meter.run();
    this.#greeted = true;
    this.#playHeld();
    return this.changed(message);
  }

  /** @param {string} [id] this reply is not to be heard any further; or none */
  #clear(id) {
    this.#held = id === undefined ? [] : this.#held.filter((reply) => reply.response_id !== id);
    this.player.stop(id);
  }

  #dropped() {
    this.#owed = false;
    this.captions.drop();
  }

  /** @param {import("./call.js").Ending} ending */
  #end(ending) {
    clearTimeout(this.#limit);
    this.ending = ending;
    this.player.stop();
    this.microphone.close();
    this.captions.leave();
    this.changed();
  }
}
