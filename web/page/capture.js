/** The microphone, in the audio thread: frames of 20 ms of PCM16 at 24 kHz, without end. It needs resampler.js there. */

const RATE = 24_000;
const FRAME = 480;

class Capture extends AudioWorkletProcessor {
  #resampler = new Resampler(sampleRate, RATE);
  #frame = new Int16Array(FRAME);
  #filled = 0;

  process([[microphone]]) {
    for (const sample of this.#resampler.push(microphone ?? new Float32Array(128))) {
      this.#frame[this.#filled++] = Math.max(-1, Math.min(1, sample)) * 32_767;
      if (this.#filled === FRAME) this.#send();
    }
    return true;
  }

  #send() {
    this.port.postMessage(this.#frame.buffer, [this.#frame.buffer]);
    this.#frame = new Int16Array(FRAME);
    this.#filled = 0;
  }
}

registerProcessor("capture", Capture);
