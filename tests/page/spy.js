// What goes out of the loudspeaker, what the microphone is asked for and when: noted down, and left as it is.
globalThis.spy = { sounds: [], over: [], tracks: [], tap: 0, up: 0 };
addEventListener("click", () => (spy.tap = performance.now()), true);
addEventListener("pointerup", () => (spy.up = performance.now()), true);

const { start } = AudioBufferSourceNode.prototype;
AudioBufferSourceNode.prototype.start = function (...when) {
  const samples = this.buffer.getChannelData(0);
  const sound = { peak: Math.max(...samples.filter((_, n) => n % 50 === 0)), began: performance.now(), ended: 0 };
  const over = new Promise((resolve) => this.addEventListener("ended", resolve));
  spy.over.push(over.then(() => (sound.ended = performance.now())));
  spy.sounds.push(sound);
  return start.apply(this, when);
};

const devices = globalThis.navigator.mediaDevices;
if (devices) {
  const ask = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (wish) => {
    const stream = await ask(wish);
    spy.tracks.push(...stream.getTracks());
    return stream;
  };
}
