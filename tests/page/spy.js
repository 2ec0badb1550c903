// What goes out of the loudspeaker, what the microphone is asked for and when: noted down, and left as it is.
globalThis.spy = { sounds: [], ears: [], over: [], tracks: [], tap: 0, up: 0, listens: 0 };
addEventListener("click", () => (spy.tap = performance.now()), true);
addEventListener("pointerup", () => (spy.up = performance.now()), true);

const { start } = AudioBufferSourceNode.prototype;
AudioBufferSourceNode.prototype.start = function (...when) {
  const samples = this.buffer.getChannelData(0);
  const from = when[1] ?? 0;
  const lasts = (this.buffer.duration - from) * 1000;
  const peak = Math.max(...samples.filter((_, n) => n % 50 === 0));
  const sound = { peak, began: performance.now(), from, lasts, ended: 0 };
  const over = new Promise((resolve) => this.addEventListener("ended", resolve));
  spy.over.push(over.then(() => (sound.ended = performance.now())));
  spy.sounds.push(sound);
  return start.apply(this, when);
};

// What the loudspeaker of the streamed call is given to play: of each reply from which ms on, and the bytes.
spy.given = {};
const { postMessage } = MessagePort.prototype;
MessagePort.prototype.postMessage = function (message, ...more) {
  const { begin, from, id, pcm } = message ?? {};
  if (begin) spy.given[begin] = { from, pcm: "" };
  if (pcm) spy.given[id].pcm += [...new Uint8Array(pcm)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return postMessage.call(this, message, ...more);
};

// And what the loudspeaker of the streamed call says, as it says it.
const { connect } = AudioNode.prototype;
AudioNode.prototype.connect = function (to, ...more) {
  if (to instanceof AudioDestinationNode && globalThis.AudioWorkletNode && this instanceof AudioWorkletNode) {
    const ear = new AnalyserNode(this.context, { fftSize: 2048 });
    connect.call(this, ear);
    spy.ears.push(ear);
  }
  return connect.call(this, to, ...more);
};
spy.loud = () => {
  const samples = new Float32Array(2048);
  return Math.max(...spy.ears.map((ear) => (ear.getFloatTimeDomainData(samples), Math.max(...samples))));
};

const devices = globalThis.navigator.mediaDevices;
if (devices) {
  const ask = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wish) => {
    const stream = await ask(wish);
    spy.listens = performance.now(); // from here on the recording is played into it
    spy.tracks.push(...stream.getTracks());
    return stream;
  };
}
