/** The caller's voice: the microphone is open for the whole call, a recording lasts as long as the button is held. */

import { canStream } from "./sound.js";

const WISH = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };
const FORMATS = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus"];
const BITS_A_SECOND = 32_000;

const INSECURE =
  "The browser gives its microphone to safe pages only, and this one came by plain http from another machine. " +
  "Start the server with --tls-cert and --tls-key and open it by https://. Meanwhile you can type.";
const GONE = "The microphone is gone. Plug it in again and press the button. Meanwhile you can type.";
const TOO_OLD = "This browser cannot record. Please use a newer one; meanwhile you can type.";
const REFUSALS = {
  NotAllowedError: "The microphone is not allowed. Allow it for this page in the browser, then press the button again. Meanwhile you can type.",
  NotFoundError: "No microphone was found. Plug one in, then press the button again. Meanwhile you can type.",
  NotReadableError: "Another program holds the microphone. Close it, then press the button again. Meanwhile you can type.",
};

/** True if a clip can be recorded here. */
export const canRecord = () => "MediaRecorder" in window;

export class Microphone {
  /** @type {MediaStream | null} */
  #stream = null;
  /** @type {MediaRecorder | null} */
  #recorder = null;
  /** @type {Promise<string>} what is being recorded, once it has ended */
  #clip;
  #wanted = false;
  /** @type {Promise<void> | null} while the browser asks the caller */
  #asking = null;
  /** @type {AnalyserNode} */
  #meter;

  /** @type {MediaStreamAudioSourceNode | null} */
  source = null;
  /** Why it cannot be used, in words; empty while it can, or was not tried. */
  problem = missing();

  /**
   * @param {import("./sound.js").Sound} sound
   * @param {(words?: string) => void} changed the telephone took it, or gave it back; or it is gone, in words
   */
  constructor(sound, changed) {
    this.sound = sound;
    this.changed = changed;
  }

  get recording() {
    return this.#recorder !== null;
  }

  get open() {
    return this.#stream?.active ?? false;
  }

  /** Something else has it, such as a call on this telephone. */
  get interrupted() {
    return this.#stream?.getTracks().some((track) => track.muted) ?? false;
  }

  /** @param {boolean} muted it hears silence */
  mute(muted) {
    for (const track of this.#stream?.getTracks() ?? []) track.enabled = !muted;
  }

  /** Ask the caller for the microphone, and keep it. True when it can record. */
  async listen() {
    this.#wanted = true;
    if (this.open || missing()) return this.open;
    await (this.#asking ??= this.#ask());
    this.#asking = null;
    return this.open;
  }

  async #ask() {
    this.#drop();
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ audio: WISH });
      if (this.#wanted) this.#take(stream);
      else release(stream); // hung up while the browser was asking
      this.problem = "";
    } catch (error) {
      this.problem = REFUSALS[error.name] ?? `The microphone does not work: ${error.message}`;
    }
  }

  /** How loud it is now, from 0 to 1. */
  get level() {
    const samples = new Float32Array(this.#meter.fftSize);
    this.#meter.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    return Math.min(1, 4 * Math.sqrt(power)); // speech has some 0.1
  }

  /** @param {MediaStream} stream */
  #take(stream) {
    const { context } = this.sound;
    this.#stream = stream;
    this.#meter = new AnalyserNode(context, { fftSize: 1024 });
    this.source = new MediaStreamAudioSourceNode(context, { mediaStream: stream });
    this.source.connect(this.#meter);
    for (const track of stream.getTracks()) {
      track.onmute = track.onunmute = () => this.changed();
      track.onended = () => this.#lose();
    }
  }

  #lose() {
    this.problem = GONE;
    this.changed(GONE);
  }

  /** Begin to record; the microphone must be open. */
  begin() {
    const mimeType = FORMATS.find((format) => MediaRecorder.isTypeSupported(format));
    const recorder = new MediaRecorder(this.#stream, { mimeType, audioBitsPerSecond: BITS_A_SECOND });
    this.#clip = new Promise((resolve, reject) => {
      recorder.ondataavailable = ({ data }) => resolve(dataUrl(data));
      recorder.onerror = ({ error }) => reject(error);
    });
    recorder.start();
    this.#recorder = recorder;
  }

  /**
   * End the recording.
   * @returns {Promise<string>} the clip as a data URL
   */
  finish() {
    if (this.#recorder.state !== "inactive") this.#recorder.stop(); // it is when the microphone was unplugged
    this.#recorder = null;
    return this.#clip;
  }

  /** Let go of it: the browser's sign that it is in use goes out. */
  close() {
    this.#wanted = false;
    this.#recorder = null;
    this.#drop();
  }

  #drop() {
    if (this.#stream) release(this.#stream);
    this.source?.disconnect();
    this.#stream = this.source = null;
  }
}

/** What this page or browser lacks to record at all. */
function missing() {
  if (!window.isSecureContext) return INSECURE;
  return navigator.mediaDevices?.getUserMedia && (canStream() || canRecord()) ? "" : TOO_OLD;
}

/** @param {MediaStream} stream */
function release(stream) {
  for (const track of stream.getTracks()) track.stop();
}

/**
 * @param {Blob} blob
 * @returns {Promise<string>}
 */
function dataUrl(blob) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(/** @type {string} */ (reader.result));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
}
