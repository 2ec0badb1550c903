/**
 * Sound at another rate: a windowed sinc over what comes piece by piece. It runs in the audio thread, for the other parts
 * there: they find it by its name, as no try to load it again could give an import another address.
 */

const ZEROS = 12; // zero crossings of the sinc on each side
const PHASES = 240; // positions between two samples
const EDGE = 0.92; // of the lower Nyquist frequency passes

export class Resampler {
  /** @type {Float32Array[]} the taps for each phase */
  #taps;
  #half;
  #step;
  #at;
  #rest;

  /**
   * @param {number} from samples a second
   * @param {number} to samples a second
   */
  constructor(from, to) {
    this.#step = from / to;
    const cutoff = EDGE * Math.min(1, to / from);
    this.#half = Math.ceil(ZEROS / cutoff);
    this.#taps = Array.from({ length: PHASES + 1 }, (_, phase) => taps(this.#half, cutoff, phase / PHASES));
    this.#at = this.#half - 1;
    this.#rest = new Float32Array(this.#half - 1); // silence before the beginning
  }

  /**
   * @param {Float32Array} samples that come next
   * @returns {Float32Array} what is complete by them
   */
  push(samples) {
    const all = new Float32Array(this.#rest.length + samples.length);
    all.set(this.#rest);
    all.set(samples, this.#rest.length);
    const count = Math.max(0, Math.ceil((all.length - this.#half - this.#at) / this.#step));
    const out = new Float32Array(count);
    for (let n = 0; n < count; n++) out[n] = this.#sample(all, this.#at + n * this.#step);
    this.#at += count * this.#step;
    const gone = Math.min(all.length, Math.floor(this.#at) - this.#half + 1);
    this.#rest = all.slice(gone);
    this.#at -= gone;
    return out;
  }

  /** What is left, once nothing more comes. */
  flush() {
    return this.push(new Float32Array(this.#half));
  }

  /**
   * @param {Float32Array} all
   * @param {number} at
   */
  #sample(all, at) {
    const whole = Math.floor(at);
    const taps = this.#taps[Math.round((at - whole) * PHASES)];
    const first = whole - this.#half + 1;
    let sum = 0;
    for (let n = 0; n < taps.length; n++) sum += all[first + n] * taps[n];
    return sum;
  }
}

/**
 * @param {number} half so many on each side
 * @param {number} cutoff as a part of the Nyquist frequency
 * @param {number} phase how far the middle is behind a sample, 0 to 1
 */
function taps(half, cutoff, phase) {
  const all = Float32Array.from({ length: 2 * half }, (_, n) => {
    const x = n - half + 1 - phase;
    const sinc = x === 0 ? 1 : Math.sin(Math.PI * cutoff * x) / (Math.PI * cutoff * x);
    return sinc * (0.5 + 0.5 * Math.cos((Math.PI * x) / (half + 1)));
  });
  const sum = all.reduce((total, tap) => total + tap, 0);
  return all.map((tap) => tap / sum);
}

globalThis.Resampler = Resampler;
