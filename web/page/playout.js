/**
 * The loudspeaker, in the audio thread: replies one after another, behind a small buffer against jitter.
 *
 * It is told `{begin: id, from}` (the ms of it that were played before, on another page), `{id, pcm}`, `{done: id}` and
 * `{stop: id}` (without an id: everything), and tells `{id, ms, over}`: how much of a reply was played, ten times a
 * second, and at its end. It needs resampler.js there.
 */

const RATE = 24_000;
const AHEAD_S = 0.12; // before it begins, and again after it ran dry
const PATIENCE_S = 0.25; // less than that has come, and nothing more comes: it is played
const REPORT_S = 0.1;

class Playout extends AudioWorkletProcessor {
  /** @type {{id: string, pieces: Float32Array[], resampler: Resampler, played: number, told: number, done: boolean}[]} */
  #replies = [];
  #waiting = true; // for enough to begin with
  #newest = 0; // when the last piece came

  constructor() {
    super();
    this.port.onmessage = ({ data }) => this.#hear(data);
  }

  process(_, [[output]]) {
    let at = 0;
    while (at < output.length && this.#replies.length && !this.#dry()) at += this.#fill(output, at);
    return true;
  }

  #hear({ begin, from, id, pcm, done, stop }) {
    if (begin) this.#begin(begin, (from * sampleRate) / 1000);
    else if (pcm) this.#add(id, pcm);
    else if (done) this.#finish(done);
    else this.#replies = stop ? this.#replies.filter((reply) => reply.id !== stop) : [];
  }

  #begin(id, played) {
    const resampler = new Resampler(RATE, sampleRate);
    this.#waiting ||= this.#replies.length === 0;
    this.#replies.push({ id, pieces: [], resampler, played, told: played, done: false });
  }

  #add(id, pcm) {
    const samples = Float32Array.from(new Int16Array(pcm), (sample) => sample / 32_768);
    const reply = this.#replies.find((each) => each.id === id);
    reply?.pieces.push(reply.resampler.push(samples));
    this.#newest = currentTime;
  }

  #finish(id) {
    const reply = this.#replies.find((each) => each.id === id);
    if (!reply) return;
    reply.done = true;
    reply.pieces.push(reply.resampler.flush());
  }

  /** The first reply has nothing to play now. */
  #dry() {
    const [{ pieces, done }] = this.#replies;
    const left = pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (!left && !done) return (this.#waiting = true);
    const enough = done || left >= AHEAD_S * sampleRate || currentTime - this.#newest > PATIENCE_S;
    return (this.#waiting &&= !enough);
  }

  /**
   * Some of the first reply; returns how many samples.
   * @param {Float32Array} output
   * @param {number} at
   */
  #fill(output, at) {
    const reply = this.#replies[0];
    const piece = reply.pieces[0] ?? new Float32Array(0);
    const some = piece.subarray(0, output.length - at);
    output.set(some, at);
    reply.played += some.length;
    if (some.length < piece.length) reply.pieces[0] = piece.subarray(some.length);
    else reply.pieces.shift();
    this.#report(reply);
    return some.length;
  }

  #report(reply) {
    const over = reply.done && !reply.pieces.length;
    if (over) this.#replies.shift();
    else if (reply.played - reply.told < REPORT_S * sampleRate) return;
    reply.told = reply.played;
    this.port.postMessage({ id: reply.id, ms: (reply.played / sampleRate) * 1000, over });
  }
}

registerProcessor("playout", Playout);
