/** One call as the caller lives it: who is on the line, whose turn it is, what is heard. It knows no page. */

import { Meter, receipt } from "./bill.js";
import { Call, REFUSED } from "./call.js";
import { hue } from "./persona.js";

/**
 * @typedef {import("./persona.js").Persona} Persona
 * @typedef {{microphone: import("./microphone.js").Microphone, player: import("./player.js").Player,
 *   telephone: import("./telephone.js").Telephone, sound: import("./sound.js").Sound,
 *   captions: import("./captions.js").Captions}} Devices
 * @typedef {"choosing" | "connecting" | "listening" | "recording" | "hearing" | "muted" | "thinking" | "speaking" |
 *   "reconnecting" | "interrupted" | "silent" | "background" | "ended"} State
 * @typedef {{code: number, why: string, reason: string}} Ending how a call ended, `why` in words, `reason` as the server said it
 * @typedef {{user: string, token?: string}} Caller with the token that lets them in, where the server wants one
 * @typedef {{caller: Caller, ticket: import("./call.js").Ticket, hold: boolean, muted: boolean, greeted: boolean, owed: boolean,
 *   persona: Persona | null, wanted: Persona, meter: {ms: number, rate: string, spent: string},
 *   captions: Captions["kept"], rest: import("./telephone.js").Rest[],
 *   whole: import("./player.js").Whole[]}} Kept what another page needs to go on with a call
 * @typedef {import("./captions.js").Captions} Captions
 */

const RECORD_MS = 110_000; // the server takes two minutes
const REPLACED = 4409;
const RESUMED_ELSEWHERE = 4410;
const NOT_LET_IN = [4401, 4403];

/** In place of a reason that is written for programs, or where none came. */
const ELSEWHERE = "it goes on in another tab or on another device";
const LOST_LINE = "the line was lost, check the network";
const NOBODY = "the server cannot be reached";
const TURNED_AWAY = "you were not let in";
const NOT_KEPT = "it was over before you were back";
const MOVED = "The line was moved. Some of the last words may be missing, or come twice.";
const FORGOTTEN = "The line was moved. Whoever you talk to does not know any more what was said before.";
const ANEW = "What was said before could not be kept: a new call has begun.";

const HELP = "Whom you can call:";
const UNHEARD = "The answer could not be played; it is written above.";

export class Conversation {
  /** @type {Ending | null} */
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
  #hearing = false; // the server hears the caller speak
  #lost = false; // the server has no connection to the model
  #changing = false; // the way to talk
  #new = true; // on this page, or on none before
  #gone = false; // the server does not keep the call
  #limit = 0;

  /**
   * @param {Caller} caller
   * @param {Persona} wanted who is called
   * @param {boolean} hold talk by holding the button, in clip mode; else as on a telephone, in stream mode
   * @param {Devices} devices
   * @param {(words?: string) => void} changed the state, or with words: something to tell the caller
   * @param {Kept} [kept] of a call on the page before, that this one goes on with
   */
  constructor(caller, wanted, hold, devices, changed, kept) {
    this.caller = caller;
    this.#want(wanted);
    this.hold = hold;
    this.devices = devices;
    this.changed = changed;
    const wish = { astrologer: wanted.astrologer_id, mode: this.#mode, resumable: true, ticket: kept?.ticket };
    this.call = new Call(location.origin, caller.user, { ...wish, token: caller.token });
    this.#follow(this.call);
    if (!hold) this.devices.telephone.pickUp(this.call);
    if (kept) this.#goOn(kept);
  }

  /** What another page needs to go on with this call, or null where that cannot be. */
  get kept() {
    const { ticket } = this.call;
    const { captions, player, telephone } = this.devices;
    const { caller, persona, wanted, hold } = this;
    const how = { hold, muted: telephone.muted, greeted: this.#greeted, owed: this.#owed, meter: this.meter.kept };
    const heard = { captions: captions.kept, rest: telephone.rest, whole: player.rest };
    return ticket && !this.ending ? { caller, ticket, persona, wanted, ...how, ...heard } : null;
  }

  /** @param {Kept} kept */
  #goOn({ persona, greeted, owed, meter, captions, rest, whole }) {
    this.#new = false;
    for (const one of [persona, this.wanted]) if (one) this.#want(one);
    this.persona = persona && this.#asked.get(persona.astrologer_id); // one object, where the same is wanted
    [this.#greeted, this.#owed] = [greeted, owed];
    this.meter.take(meter);
    this.devices.captions.take(captions);
    this.devices.telephone.goOn(rest);
    for (const { id, audio, at } of whole) this.devices.player.play(id, audio, at).catch(() => this.changed(UNHEARD));
  }

  /** @returns {State} */
  get state() {
    const { microphone, sound, telephone } = this.devices;
    if (this.ending) return "ended";
    if (microphone.recording) return "recording";
    if (this.call.state === "away") return "reconnecting";
    if (sound.silent) return "silent";
    if (sound.interrupted || (microphone.interrupted && !this.hold)) return "interrupted";
    if (document.hidden && !this.hold) return "background";
    if (this.playing) return "speaking";
    if (this.#lost) return "reconnecting";
    if (!this.#greeted || this.persona !== this.wanted) return "connecting";
    if (this.#hearing) return "hearing";
    if (this.#owed) return "thinking";
    return telephone.muted && !this.hold ? "muted" : "listening";
  }

  get playing() {
    return this.devices.player.playing || this.devices.telephone.playing;
  }

  /** Somebody is there who can be talked to. */
  get answered() {
    return this.persona !== null && !this.ending;
  }

  get #mode() {
    return this.hold ? "clip" : "stream";
  }

  /** @param {Persona} persona to talk to from now on */
  switchTo(persona) {
    if (persona.astrologer_id === this.wanted.astrologer_id) return;
    this.#want(persona);
    this.cancel();
    this.devices.player.stop();
    this.call.choose(persona.astrologer_id);
    this.changed("");
  }

  /** @param {boolean} hold from now on the caller talks in this way */
  talkBy(hold) {
    const { player, telephone } = this.devices;
    this.cancel();
    player.stop();
    telephone.putDown();
    this.hold = hold;
    this.#owed = this.#hearing = false;
    this.#changing = true;
    this.call.choose(this.wanted.astrologer_id, { mode: this.#mode });
    if (!hold) telephone.pickUp(this.call);
    this.changed("");
  }

  /** @param {Persona} persona */
  #want(persona) {
    this.wanted = persona;
    this.#asked.set(persona.astrologer_id, persona);
  }

  /** The caller begins to speak, by the button: what plays falls silent. */
  begin() {
    if (this.playing) this.#interrupt();
    this.devices.microphone.begin();
    this.#limit = setTimeout(() => this.finish(), RECORD_MS);
    this.changed("");
  }

  /** The caller has spoken: what was recorded is sent. */
  async finish() {
    clearTimeout(this.#limit);
    const { microphone, captions } = this.devices;
    if (!microphone.recording) return;
    captions.said("");
    this.#owed = true;
    const clip = microphone.finish();
    this.changed();
    try {
      this.call.clip(await clip);
    } catch (error) {
      this.#dropped();
      this.changed(`That was not recorded: ${error.message}`);
    }
  }

  /** What is being recorded is thrown away. */
  cancel() {
    clearTimeout(this.#limit);
    const { microphone } = this.devices;
    if (!microphone.recording) return;
    microphone.finish().catch(() => {});
    this.changed();
  }

  /** @param {string} text a typed turn */
  type(text) {
    if (this.playing) this.#interrupt();
    this.devices.captions.said(text);
    this.#owed = true;
    this.call.type(text);
    this.changed("");
  }

  #interrupt() {
    this.devices.player.stop();
    this.devices.telephone.stop();
    this.call.interrupt();
  }

  /** @param {Call} call */
  #follow(call) {
    const { captions, telephone } = this.devices;
    call.on("state", (state) => this.#turn(state));
    call.on("resumed", (message) => this.#moved(message));
    call.on("not_resumed", ({ code, text }) => this.#lose(code, text));
    call.on("config_ack", (message) => this.#meet(message));
    call.on("caption", (caption) => this.#write(caption));
    call.on("audio_response", (reply) => this.#listen(reply));
    call.on("response_started", ({ response_id: id }) => this.#begun(() => telephone.begin(id)));
    call.on("sound", ({ response_id: id, pcm }) => telephone.play(id, pcm));
    call.on("response_done", ({ response_id: id }) => telephone.done(id));
    call.on("speech_started", () => this.#hears(true));
    call.on("speech_stopped", () => this.#hears(false));
    call.on("clear", ({ response_id: id }) => this.#clear(id));
    call.on("notice", (notice) => this.#notice(notice));
    call.on("error", (error) => this.#fail(error));
    call.on("summary", (summary) => this.#sum(summary));
    call.on("ended", (ended) => this.#end(ended));
  }

  /** @param {import("./call.js").CallState} state of the line */
  #turn(state) {
    if (state === "away") this.meter.rest(); // nothing is metered
    if (state === "open" && this.persona) this.meter.run();
    if (state === "open") this.#new = true;
    this.changed();
  }

  /** The call goes on at another server, unless `lost` is undefined: what was not saved there is not answered. */
  #moved({ lost_ms: lost, asked_again: asked, forgotten }) {
    const { captions } = this.devices;
    if (lost) captions.note(MOVED); // else it lacks nothing
    if (forgotten) captions.note(FORGOTTEN);
    if (lost === undefined) return;
    this.#hearing = false;
    this.#owed = asked || captions.awaits;
    this.changed();
  }

  /**
   * The call is not resumed. A new one begins, but not because a page is loaded.
   * @param {string} code
   * @param {string} [words] of replies that were not heard
   */
  #lose(code, words = "") {
    this.#clear();
    if (code === "stale") return; // the call goes on elsewhere
    this.devices.captions.complete(words);
    this.devices.captions.leave();
    this.#gone = code === "ended" || !this.#new;
    if (this.#gone && code !== "ended") return this.call.hangUp();
    this.persona = null;
    this.meter = new Meter();
    this.#greeted = this.#owed = this.#hearing = this.#lost = this.#changing = false;
    this.changed(this.#gone ? "" : ANEW);
  }

  #meet({ astrologer_id: id, name, language_code: code, price, disclosure }) {
    const same = this.#changing && this.persona?.astrologer_id === id; // only the way to talk is another
    const called = this.persona !== this.wanted; // another one may have been asked for since
    if (this.persona?.astrologer_id !== id) this.#held = [];
    this.persona = this.#asked.get(id);
    if (!called) this.wanted = this.persona; // the refusal was of somebody else
    this.meter.serve(price);
    this.#greeted = same;
    this.#owed = this.#lost = false;
    if (same) this.#changing = false;
    else this.devices.captions.introduce(name, code, hue(id), disclosure);
    this.changed();
    this.#playHeld();
  }

  /** @param {import("./call.js").Caption} caption */
  #write(caption) {
    this.devices.captions.show(caption);
    if (!caption.item_id.endsWith(".0")) return;
    this.#greeted = true; // no voice can speak this greeting: no sound follows
    this.changed();
  }

  #listen(reply) {
    if (this.persona === this.wanted) this.#play(reply);
    else this.#held.push(reply); // the last words of whom the caller leaves, unless the one they asked for is refused
  }

  #playHeld() {
    if (this.persona === this.wanted) this.#held.splice(0).forEach((reply) => this.#play(reply));
  }

  #play({ response_id: id, audio }) {
    const { microphone, player } = this.devices;
    const unheard = () => this.changed(UNHEARD);
    if (microphone.recording) this.#begun(() => this.call.interrupt()); // two do not speak at once
    else this.#begun(() => player.play(id, audio).catch(unheard));
  }

  /** An answer is here. */
  #begun(play) {
    this.#greeted = true;
    this.#owed = this.#lost = false;
    play();
    this.changed();
  }

  /** @param {boolean} speaks the caller does, as the server hears it */
  #hears(speaks) {
    this.#hearing = speaks;
    this.#owed = !speaks;
    this.changed(speaks ? "" : undefined);
  }

  #notice({ code, message, ...bill }) {
    if (code === "minute") return this.meter.correct(bill);
    if (code === "help") return this.#help(message, bill);
    if (code === "switching" || code === "reconnecting") this.meter.rest();
    if (code === "switching") return this.#clear();
    if (code === "say_again") this.#dropped();
    if (code === "reconnecting" || code === "resumed") this.#lost = code === "reconnecting";
    if (code === "resumed") this.meter.run();
    return this.changed(code === "resumed" ? "" : message);
  }

  /** Whom to call; the time may be charged no more. */
  #help(message, { numbers, metered }) {
    if (metered === false) this.meter.free();
    this.devices.captions.help(message, numbers);
    this.changed();
  }

  #fail({ code, message }) {
    const refused = REFUSED.includes(code) && this.persona !== this.wanted;
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
    this.devices.player.stop(id);
    this.devices.telephone.stop(id);
  }

  #sum(summary) {
    const { captions } = this.devices;
    if (summary.help && !captions.helps) captions.help(HELP, summary.help); // the notice did not come through
    captions.add(receipt(summary));
  }

  #dropped() {
    this.#owed = false;
    this.devices.captions.drop();
  }

  /** @param {import("./call.js").Ended} ended */
  #end({ code, reason, opened }) {
    clearTimeout(this.#limit);
    const { microphone, player, telephone, captions } = this.devices;
    this.ending = { code, why: this.#gone ? NOT_KEPT : words(code, reason, opened), reason };
    player.stop();
    telephone.putDown();
    microphone.close();
    captions.leave();
    this.changed();
  }
}

/**
 * Why a call has ended.
 * @param {number} code
 * @param {string} reason
 * @param {boolean} opened the server was reached
 */
function words(code, reason, opened) {
  if (code === REPLACED || code === RESUMED_ELSEWHERE) return ELSEWHERE;
  if (NOT_LET_IN.includes(code)) return TURNED_AWAY;
  return reason || (opened ? LOST_LINE : NOBODY);
}
