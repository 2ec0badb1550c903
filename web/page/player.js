/** What the caller hears: whole replies, one after another, until they have been played or are stopped. */

import { bytes } from "./base64.js";

const LATE_S = 3; // a sound that has not ended by then will not
const FAILED = "The sound of this browser has failed; the answer is written above.";

/** @typedef {{id: string, audio: string, at: number}} Whole a WAV file as base64, to be played from `at` seconds on */

export class Player {
  #began = 0; // when the first of the queue did, on the clock of the sound
  /** @type {(Whole & {sound: AudioBuffer | null})[]} replies in their order; the first is playing once decoded */
  #queue = [];
  /** @type {AudioBufferSourceNode | null} */
  #source = null;

  /**
   * @param {import("./sound.js").Sound} sound
   * @param {(words?: string) => void} changed it has begun or ended to play; or cannot, in words
   */
  constructor(sound, changed) {
    this.sound = sound;
    this.changed = changed;
  }

  /** Something is playing, or about to. */
  get playing() {
    return this.#queue.length > 0;
  }

  /**
   * Play a WAV file when what came before it is over.
   * @param {string} id of the reply
   * @param {string} audio base64
   * @param {number} [at] from this second on
   */
  async play(id, audio, at = 0) {
    const reply = { id, audio, at, sound: null };
    this.#queue.push(reply);
    this.changed();
    try {
      reply.sound = await this.sound.context.decodeAudioData(bytes(audio));
    } catch (error) {
      this.stop(id);
      throw error;
    }
    this.#next();
  }

  /** @returns {Whole[]} what was not played yet, for another page */
  get rest() {
    const played = this.#source ? this.sound.context.currentTime - this.#began : 0;
    return this.#queue.map(({ id, audio, at }, place) => ({ id, audio, at: at + (place ? 0 : played) }));
  }

  /**
   * Fall silent: this reply, or everything.
   * @param {string} [id]
   */
  stop(id) {
    const first = this.#queue[0];
    this.#queue = id === undefined ? [] : this.#queue.filter((reply) => reply.id !== id);
    if (this.#queue[0] === first) return;
    this.#silence();
    this.#next();
    this.changed();
  }

  #silence() {
    if (!this.#source) return;
    this.#source.onended = null;
    this.#source.stop();
    this.#source = null;
  }

  /**
   * A device that fails never says that it has played.
   * @param {AudioBufferSourceNode} source
   * @param {string} id
   */
  #giveUp(source, id) {
    if (this.#source !== source) return;
    this.stop(id);
    this.changed(FAILED);
  }

  #next() {
    const sound = this.#queue[0]?.sound;
    if (!sound || this.#source) return;
    const { context } = this.sound;
    this.#source = new AudioBufferSourceNode(context, { buffer: sound });
    this.#source.connect(context.destination);
    const [source, { id, at }] = [this.#source, this.#queue[0]];
    source.onended = () => this.stop(id);
    source.start(0, at);
    this.#began = context.currentTime;
    setTimeout(() => this.#giveUp(source, id), (sound.duration + LATE_S) * 1000);
  }
}
