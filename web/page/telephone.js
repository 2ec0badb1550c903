/** Speaking as on a telephone: microphone and loudspeaker are open all the time, and the server hears who speaks. */

import { bytes, letters } from "./base64.js";

const FAILED = "The sound of this browser has failed; the answer is written above.";
const TELL_MS = 500; // the server is told so often what was played
const BYTES_PER_MS = 48;

/**
 * A reply that is not over: `ms` of it were played, the server knows of `told`; `pcm` is what came from `from` ms on.
 * @typedef {{ms: number, told: number, from: number, pcm: ArrayBuffer[], done: boolean}} Reply
 * @typedef {{id: string, from: number, pcm: string, done: boolean}} Rest of a reply: what is not played yet, as base64
 */

export class Telephone {
  /** The caller does not want to be heard. */
  muted = false;
  /** @type {Map<string, Reply>} */
  #replies = new Map();
  /** @type {Promise<AudioWorkletNode> | null} */
  #speaker = null;
  /** @type {AudioWorkletNode | null} */
  #capture = null;
  /** @type {import("./call.js").Call | null} */
  #call = null;

  /**
   * @param {import("./sound.js").Sound} sound
   * @param {import("./microphone.js").Microphone} microphone
   * @param {(words?: string) => void} changed it has begun or ended to play; or cannot, in words
   */
  constructor(sound, microphone, changed) {
    this.sound = sound;
    this.microphone = microphone;
    this.changed = changed;
  }

  /** Something is playing, or about to. */
  get playing() {
    return this.#replies.size > 0;
  }

  /**
   * From here on this call is heard, and hears the microphone as soon as there is one.
   * @param {import("./call.js").Call} call
   */
  pickUp(call) {
    this.#call = call;
    this.#speaker ??= this.#open();
    this.#speaker.catch(() => {
      this.#speaker = null;
      this.changed(FAILED);
    });
  }

  /** Let the call hear the microphone, once that is open. */
  async speak() {
    await this.#speaker?.catch(() => {}); // pickUp tells of it
    if (!this.#call || !this.microphone.open) return;
    this.microphone.mute(this.muted);
    this.#capture ??= this.#listen();
    this.microphone.source.connect(this.#capture); // another one than before, if that was unplugged
  }

  #listen() {
    const capture = new AudioWorkletNode(this.sound.context, "capture");
    capture.port.onmessage = ({ data }) => this.#call?.send(data);
    capture.connect(this.sound.context.destination); // it runs only so, and is silent there
    return capture;
  }

  /** Nothing is sent and nothing plays any more. */
  putDown() {
    this.stop();
    this.#capture?.disconnect();
    if (this.#capture) this.#capture.port.onmessage = null;
    this.#call = this.#capture = null;
    this.muted = false;
    this.microphone.mute(false);
  }

  /** @param {boolean} muted silence is sent instead */
  mute(muted) {
    this.muted = muted;
    this.microphone.mute(muted);
    this.changed();
  }

  /**
   * A reply begins.
   * @param {string} id
   * @param {number} [from] so many ms of it were played before, on another page
   */
  begin(id, from = 0) {
    this.#replies.set(id, { ms: from, told: from, from, pcm: [], done: false });
    this.#tell({ begin: id, from });
    this.changed();
  }

  /**
   * @param {string} id
   * @param {ArrayBuffer} pcm
   */
  play(id, pcm) {
    this.#replies.get(id)?.pcm.push(pcm);
    this.#tell({ id, pcm });
  }

  /** @param {string} id nothing more comes of it */
  done(id) {
    const reply = this.#replies.get(id);
    if (reply) reply.done = true;
    this.#tell({ done: id });
  }

  /** What has come and was not played, for another page. */
  get rest() {
    return [...this.#replies].map(([id, { ms, from, pcm, done }]) => {
      const played = 2 * Math.floor(((ms - from) * BYTES_PER_MS) / 2); // whole samples
      return { id, from: from + played / BYTES_PER_MS, pcm: letters(pcm, played), done };
    });
  }

  /** @param {Rest[]} replies of the page before */
  goOn(replies) {
    for (const { id, from, pcm, done } of replies) {
      this.begin(id, from);
      this.play(id, bytes(pcm));
      if (done) this.done(id);
    }
  }

  /**
   * Fall silent: this reply, or everything.
   * @param {string} [id]
   */
  stop(id) {
    if (id === undefined) this.#replies.clear();
    else this.#replies.delete(id);
    this.#tell({ stop: id });
    this.changed();
  }

  async #open() {
    await this.sound.worklets();
    const speaker = new AudioWorkletNode(this.sound.context, "playout", { numberOfInputs: 0, outputChannelCount: [1] });
    speaker.port.onmessage = ({ data }) => this.#played(data);
    speaker.onprocessorerror = () => this.changed(FAILED);
    speaker.connect(this.sound.context.destination);
    return speaker;
  }

  /** @param {object} message */
  #tell(message) {
    this.#speaker?.then((node) => node.port.postMessage(message), () => {});
  }

  /** @param {{id: string, ms: number, over: boolean}} report */
  #played({ id, ms, over }) {
    const heard = Math.max(0, ms - (this.sound.context.outputLatency || 0) * 1000);
    const reply = this.#replies.get(id);
    if (!reply) return;
    reply.ms = Math.max(reply.ms, heard);
    while (reply.pcm.length && reply.from + reply.pcm[0].byteLength / BYTES_PER_MS <= reply.ms) {
      reply.from += reply.pcm.shift().byteLength / BYTES_PER_MS;
    }
    if (over || heard - reply.told >= TELL_MS) this.#call?.played(id, over ? ms : heard);
    if (heard - reply.told >= TELL_MS) reply.told = heard;
    if (over && this.#replies.delete(id)) this.changed();
  }
}
