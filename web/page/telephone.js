/** Speaking as on a telephone: microphone and loudspeaker are open all the time, and the server hears who speaks. */

const FAILED = "The sound of this browser has failed; the answer is written above.";

export class Telephone {
  /** The caller does not want to be heard. */
  muted = false;
  /** @type {Set<string>} replies that are not over */
  #replies = new Set();
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
    this.#speaker.catch(() => this.changed(FAILED));
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

  /** @param {string} id a reply begins */
  begin(id) {
    this.#replies.add(id);
    this.#tell({ begin: id });
    this.changed();
  }

  /**
   * @param {string} id
   * @param {ArrayBuffer} pcm
   */
  play(id, pcm) {
    this.#tell({ id, pcm });
  }

  /** @param {string} id nothing more comes of it */
  done(id) {
    this.#tell({ done: id });
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
    if (this.#replies.has(id)) this.#call?.played(id, over ? ms : heard);
    if (over && this.#replies.delete(id)) this.changed();
  }
}
