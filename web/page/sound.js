/** The sound of this browser: one AudioContext for what is heard and for the microphone. */

const WORKLETS = ["/client/resampler.js", "/client/capture.js", "/client/playout.js"];

const DARE_MS = 500;
const PAUSES = [500, 1000, 2000, 4000]; // ms before the parts are asked for again

/** True if microphone and loudspeaker can work frame by frame here. */
export const canStream = () => window.isSecureContext && "AudioWorkletNode" in window;

export class Sound {
  /** @type {AudioContext | null} */
  context = null;
  #ran = false;
  #late = false; // it should have run by now
  /** @type {Promise<void> | null} */
  #loaded = null;
  #added = new Set();
  #tries = 0;

  /** @param {() => void} changed it was taken away, or is back */
  constructor(changed) {
    this.changed = changed;
  }

  /** The telephone took it away: for a call, or for the lock. */
  get interrupted() {
    return this.#ran && this.context.state !== "running";
  }

  /** The browser lets no sound out of a page that was not tapped yet. */
  get silent() {
    return this.#late && !this.#ran;
  }

  /** Make sound without a tap, as after a reload; maybe the browser agrees. */
  dare() {
    this.unlock();
    setTimeout(() => ((this.#late = true), this.changed()), DARE_MS);
  }

  /** Let the browser make sound at all: only within a tap or a key does it agree. */
  unlock() {
    if (!this.context) {
      this.context = new AudioContext({ latencyHint: "interactive" });
      this.context.onstatechange = () => this.#turn();
    }
    if (this.context.state !== "running") this.context.resume().catch(() => {}); // tried again with the next tap
  }

  /** The parts that run in the audio thread; unlocked before. Rejects if they do not arrive, and can be tried again. */
  async worklets() {
    this.#loaded ??= this.#load();
    await this.#loaded.catch((error) => {
      this.#loaded = null;
      throw error;
    });
  }

  async #load() {
    for (const pause of PAUSES) {
      try {
        return await this.#add();
      } catch {
        await new Promise((resolve) => setTimeout(resolve, pause)); // the network may be changing
      }
    }
    return this.#add();
  }

  /** Add those that are not there yet. A browser remembers by its address what did not arrive: each try has another. */
  async #add() {
    const again = this.#tries++ ? `?again=${this.#tries}` : "";
    const missing = WORKLETS.filter((file) => !this.#added.has(file));
    const add = (file) => this.context.audioWorklet.addModule(file + again).then(() => this.#added.add(file));
    const results = await Promise.allSettled(missing.map(add));
    const failed = results.find(({ status }) => status === "rejected");
    if (failed) throw failed.reason;
  }

  #turn() {
    this.#ran ||= this.context.state === "running";
    this.changed();
  }
}
