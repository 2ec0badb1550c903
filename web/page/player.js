/** What the caller hears: whole replies, one after another, until they have been played or are stopped. */

const LATE_S = 3; // a sound that has not ended by then will not
const FAILED = "The sound of this browser has failed; the answer is written above.";

export class Player {
  /** @type {{id: string, sound: AudioBuffer | null}[]} replies in their order; the first is playing once decoded */
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
   * @param {string} base64
   */
  async play(id, base64) {
    const reply = { id, sound: null };
    this.#queue.push(reply);
    this.changed();
    try {
      reply.sound = await this.sound.context.decodeAudioData(bytes(base64));
    } catch (error) {
      this.stop(id);
      throw error;
    }
    this.#next();
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
    const [source, { id }] = [this.#source, this.#queue[0]];
    source.onended = () => this.stop(id);
    source.start();
    setTimeout(() => this.#giveUp(source, id), (sound.duration + LATE_S) * 1000);
  }
}

/** @param {string} base64 */
function bytes(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)).buffer;
}
