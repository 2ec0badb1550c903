/**
 * A call on the wire of the persona voice server, for browsers, Node and React Native. It has no dependencies, and
 * touches neither a page nor sound: it takes and gives PCM16 little-endian, mono, 24 kHz. docs/wire.md is the protocol.
 */

/**
 * What to do after a close: `resume` this call at once, call anew `later`, or `never`.
 * @typedef {"resume" | "later" | "never"} Next
 * @typedef {"connecting" | "open" | "away" | "ended"} CallState
 * @typedef {{code: number, reason: string, next: Next, opened: boolean}} Ended `opened`: the server was reached
 * @typedef {{item_id: string, role: "user" | "assistant", text: string, final: boolean}} Caption all words so far
 * @typedef {{response_id: string, pcm: ArrayBuffer}} Sound
 * @typedef {ArrayBuffer | ArrayBufferView<ArrayBuffer>} Pcm
 * @typedef {{token: string, attach: number, seconds: number, node?: string}} Offer how to come back
 * @typedef {{first: number, frames: (string | null)[], waiting: string[]}} Said what the server may not have handled
 * @typedef {Offer & {received: number, speaking: string, words: Record<string, string>, said?: Said}} Ticket
 * @typedef {{name: string, number: string, languages: string[]}} HelpNumber
 * @typedef {{astrologer_id: string, audio?: {mode: string}, profile?: Profile, resumable?: boolean}} Config
 * @typedef {{name?: string, gender?: string, birth_date?: string, birth_time?: string, birth_place?: string,
 *   country?: string}} Profile
 */

/**
 * @typedef {object} Options
 * @property {string} [astrologer] whom to call at once
 * @property {string} [match] or: words that they should fit
 * @property {string} [language] with `match`
 * @property {"clip" | "stream"} [mode]
 * @property {string} [token] where the server wants one: of a call, or of a login
 * @property {boolean} [resumable] ask the server to keep the call while the network is away
 * @property {Ticket} [ticket] of a call that this one goes on with, as after a reload of a page; without `astrologer`
 *   it ends where it cannot
 * @property {typeof WebSocket} [WebSocket] where there is no global one
 * @property {() => number} [random] from 0 to 1, for the jitter
 * @property {number} [pingMs] two pings without an answer, and the line is lost: 5 s for a stream that can come back
 */

/** @type {Record<number, Next>} */
export const AFTER_CLOSE = {
  1000: "never", // hung up
  1001: "later", // the server restarts
  1005: "resume", // the network is gone
  1006: "resume",
  1009: "never", // a frame was too large
  1011: "resume",
  1012: "resume",
  4400: "never", // correct the client
  4401: "never",
  4402: "never",
  4403: "never",
  4408: "later", // nothing was said, or nobody chosen
  4409: "never", // on another device now
  4410: "never", // it goes on over a newer connection
  4413: "resume", // too slow
  4429: "later",
  4500: "later",
  4503: "later",
};

/** Of a choice: it is not granted, and whoever was on the line still is. */
export const REFUSED = ["unknown_astrologer", "inactive_astrologer", "closed_now", "language_not_served", "busy",
  "switch_too_often", "persona_switch_failed", "not_allowed", "not_for_minors"];

const OPEN = 1; // WebSocket.OPEN; not every WebSocket class has the constant
const LOST = 1006;
const MOVES = 1012; // the server that has the call gives it away
const ELSEWHERE = 4410; // the call goes on over another connection
const UNKNOWN_NOW = "unavailable"; // where the call is: it may be found a little later
const PING = JSON.stringify({ type: "ping" });
const ACK_BYTES = 2 * 48_000; // of sound
const TRY_MS = 5000; // for one attempt to come back
const GOODBYE_MS = 5000; // for the summary
const PING_MS = { stream: 2500, clip: 10_000 }; // a whole reply may take long, and a pong waits behind it
const WHOLE_MS = 120_000; // for a whole reply behind its `text_response`: pongs wait behind it, and 4 MB take a minute
const LARGE = 65_536; // of a clip, behind which a pong waits
const SLOWEST = 16; // bytes in a ms: a server takes no clip that comes more slowly
const CLIP_MS = 30_000; // for one of which nobody can tell how much is sent; who is patient for longer loses the call
const OVER_MS = 90_000; // of silence: a server has found out after a minute, and has kept the call for half a one
const KEPT_MS = 15_000; // of the microphone while the line is away
const BACKOFF_MS = 500;
const MOST_BACKOFF_MS = 2000;

/** @param {number} code of a close frame */
export const afterClose = (code) => AFTER_CLOSE[code] ?? "later";

/**
 * How long to wait before an attempt: at once but with jitter, then longer each time, 1 to 2 s at most.
 * @param {number} attempt from 0
 * @param {() => number} [random]
 */
export function backoff(attempt, random = Math.random) {
  const most = Math.min(MOST_BACKOFF_MS, BACKOFF_MS * 2 ** attempt);
  return attempt ? most * (0.5 + 0.5 * random()) : most * random();
}

export class Call {
  /** @type {CallState} */
  state = "connecting";
  /** @type {HelpNumber[]} whom to call, once the server has told: to be shown until the call is over */
  numbers = [];
  #url;
  #user;
  #options;
  /** @type {WebSocket} */
  #socket = /** @type {any} */ (null); // until the constructor connects
  /** @type {WebSocket[]} taken for lost; were one closed while it is not, with 1000, the server would end the call */
  #left = [];
  /** @type {Map<string, Set<(message: any) => void>>} */
  #listeners = new Map();
  /** @type {Offer | null} */
  #offer = null;
  #ledger = new Ledger();
  /** @type {(string | Pcm)[]} said while there was no line */
  #waiting = [];
  #received = 0; // data frames of this connection
  #sound = 0; // bytes since the last ack
  #speaking = "";
  #words = new Map();
  /** @type {Config | undefined} whom to call anew, if that must be */
  #wanted;
  #with = ""; // who is on the line
  /** @type {Ended | null} */
  #ending = null;
  #opened = false;
  #alive = true;
  #patientUntil = 0; // a whole reply is on its way
  #sentBy = 0; // a clip is, at the latest
  #unsent = 0; // bytes, when it was asked last whether the line is
  #heardAt = Date.now(); // performance.now() stands still while a computer sleeps
  #slept = false; // for so long that no server can have kept the call
  #attempt = 0;
  #deadline = 0;
  #pauseMs = 0; // before the next attempt, as the server has told
  #beat = 0;
  #timer = 0;

  /**
   * Places the call.
   * @param {string} url origin of the server, by http or ws, such as `location.origin`
   * @param {string} user id
   * @param {Options} [options]
   */
  constructor(url, user, options = {}) {
    this.#url = url.replace(/^http/, "ws").replace(/\/$/, "");
    this.#user = user;
    const { astrologer, match, language, mode, resumable, ticket } = options;
    this.#options = { WebSocket: globalThis.WebSocket, random: Math.random, ...options };
    if (ticket) this.#options.resumable = true;
    if (astrologer) this.#want(astrologer);
    if (ticket) this.#goOn(ticket);
    else this.#connect({ astrologer_id: astrologer, match, language, mode, resumable }, () => this.#begin());
  }

  /** What another Call needs to go on with this one, or null; it is a secret. */
  get ticket() {
    const words = Object.fromEntries(this.#words);
    const said = { ...this.#ledger.messages, waiting: this.#waiting.filter((frame) => typeof frame === "string") };
    return this.#offer && { ...this.#offer, received: this.#received, speaking: this.#speaking, words, said };
  }

  /**
   * Listen to a `type` of message of the wire, or to `sound`, `caption`, `state` and `ended`.
   * @param {string} type
   * @param {(message: any) => void} listener
   * @returns {() => void} ends it
   */
  on(type, listener) {
    const all = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, all.add(listener));
    return () => all.delete(listener);
  }

  /**
   * The next message of a type. It is rejected with the Ended when the call ends before.
   * @param {string} type
   * @returns {Promise<any>}
   */
  once(type) {
    return new Promise((resolve, reject) => {
      if (this.#ending) return reject(this.#ending);
      /** @type {(() => void)[]} */
      const offs = [];
      const leave = () => offs.forEach((off) => off());
      offs.push(this.on(type, (message) => (leave(), resolve(message))));
      offs.push(this.on("ended", (ended) => (leave(), reject(ended))));
    });
  }

  /**
   * Choose a persona, or switch to another; also the way to change the mode.
   * @param {string} astrologer
   * @param {{mode?: "clip" | "stream", profile?: Profile}} [wish]
   */
  choose(astrologer, { mode, profile } = {}) {
    const config = { astrologer_id: astrologer, audio: mode && { mode }, profile };
    const { resumable } = this.#options;
    this.#wanted = { ...this.#wanted, ...defined(config), astrologer_id: astrologer, resumable };
    this.say({ type: "config", ...config, resumable: resumable || undefined });
  }

  /**
   * Some of the microphone, best 20 ms (960 bytes); the buffer is not to be changed after this.
   * @param {Pcm} pcm
   */
  send(pcm) {
    if (this.state === "open") this.#put(pcm);
    else if (this.state === "away") this.#waiting = newest([...this.#waiting, pcm]);
  }

  /** @param {string} base64 one recorded utterance, in clip mode */
  clip(base64) {
    this.say({ type: "audio", audio: base64 });
  }

  /** @param {string} text a typed turn */
  type(text) {
    this.say({ type: "text", text });
  }

  /**
   * How much of a streamed reply was played: to be told twice a second.
   * @param {string} reply its response_id
   * @param {number} ms from its start
   */
  played(reply, ms) {
    if (this.state === "open") this.say({ type: "played", response_id: reply, ms: Math.round(ms) });
  }

  /** Stop what plays and what is being answered. */
  interrupt() {
    this.say({ type: "interrupt" });
  }

  /** @param {object} message any message of the wire; it waits while there is no line */
  say(message) {
    const frame = JSON.stringify(message);
    if (this.state === "open") this.#put(frame);
    else if (this.state !== "ended") this.#waiting.push(frame);
  }

  /**
   * Hang up. It is over at once, whatever the network does; a `summary` may still come.
   * @param {string} [reason]
   */
  hangUp(reason = "you hung up") {
    if (this.state === "ended") return;
    const socket = this.#socket;
    const told = this.state === "open" && socket.readyState === OPEN;
    this.say({ type: "end" });
    this.#end(1000, reason);
    if (!told) return this.forget();
    this.#timer = setTimeout(() => this.forget(), GOODBYE_MS);
    socket.onclose = () => clearTimeout(this.#timer);
  }

  /** The network is known to be gone: do not wait until the socket notices. */
  lose() {
    if (this.state === "ended") return;
    this.#leave();
    if (this.#socket.readyState === OPEN) this.#left.push(this.#socket);
    this.#closed(LOST, "");
  }

  /** The network is known to be back: do not wait for the next attempt. */
  retry() {
    if (this.state !== "away" || this.#socket.onclose) return;
    clearTimeout(this.#timer);
    this.#comeBack();
  }

  /** Nothing more is wanted of this connection. */
  forget() {
    this.#leave();
    if (this.#socket.readyState === OPEN) this.#socket.close(1000);
  }

  #leave() {
    const socket = this.#socket;
    socket.onmessage = socket.onclose = null;
    socket.onopen = () => socket.close(1000); // before that it would be an error
  }

  /** The call goes on elsewhere, or is over: nothing hangs on these connections any more. */
  #closeLeft() {
    for (const socket of this.#left.splice(0)) socket.close(1000);
  }

  /**
   * @param {object} query
   * @param {() => void} opened
   */
  #connect(query, opened) {
    const search = Object.entries(defined(query)).map((pair) => pair.map(encodeURIComponent).join("="));
    const { token, WebSocket } = this.#options;
    const address = `${this.#url}/ws/${encodeURIComponent(this.#user)}?${search.join("&")}`;
    const socket = token ? new WebSocket(address, ["voice.v1", `bearer.${token}`]) : new WebSocket(address);
    socket.binaryType = "arraybuffer";
    socket.onopen = opened;
    socket.onmessage = ({ data }) => this.#hear(data);
    socket.onclose = ({ code, reason }) => this.#closed(code ?? LOST, reason ?? "");
    const failed = () => socket.readyState !== OPEN && socket.onclose && this.#closed(LOST, "");
    socket.onerror = () => setTimeout(failed, 0); // Node 20 tells of no close where nobody answers
    this.#socket = socket;
  }

  #begin() {
    this.#opened = this.#alive = true;
    this.#slept = false;
    this.#beat = setTimeout(() => this.#ping(), this.#pingMs);
    for (const frame of this.#waiting.splice(0)) this.#put(frame);
    this.#to("open");
  }

  get #pingMs() {
    const streams = this.#options.resumable && (this.#wanted?.audio?.mode ?? this.#options.mode) === "stream";
    return this.#options.pingMs ?? PING_MS[streams ? "stream" : "clip"];
  }

  #ping() {
    const now = performance.now();
    const { bufferedAmount: unsent = 0 } = this.#socket;
    const sends = unsent < this.#unsent || (now < this.#sentBy && this.#ledger.large);
    const patient = now < this.#patientUntil || sends;
    this.#unsent = unsent;
    if (!this.#alive && !patient) return this.lose();
    if (this.#alive) {
      this.#alive = false;
      this.#put(PING, false);
    }
    this.#beat = setTimeout(() => this.#ping(), this.#pingMs);
  }

  /**
   * @param {string | Pcm} frame
   * @param {boolean} [again] it is sent again where the server did not handle it
   */
  #put(frame, again = true) {
    if (this.#socket.readyState !== OPEN) return void (again && this.#waiting.push(frame)); // its close comes
    this.#ledger.add(again ? frame : null);
    if (frame === PING) this.#ledger.asked();
    if (isLarge(frame)) this.#sentBy = performance.now() + Math.min(frame.length / SLOWEST, CLIP_MS);
    this.#socket.send(frame);
  }

  /** @param {string | ArrayBuffer} data */
  #hear(data) {
    const silent = Date.now() - this.#heardAt;
    this.#heardAt += silent;
    if (silent > OVER_MS) this.#slept = true;
    this.#alive = true; // whatever comes shows that the line is
    if (typeof data !== "string") return this.#hearSound(data);
    const message = JSON.parse(data);
    if (message.type === "text_response") this.#patientUntil = performance.now() + WHOLE_MS;
    else if (message.type !== "pong") this.#patientUntil = 0;
    if (message.type === "resumed") return this.#resumed(message);
    if (message.type === "not_resumed") return this.#notResumed(message);
    if (this.state === "away" && message.retry_after) return void (this.#pauseMs = message.retry_after * 1000);
    if (this.state !== "away") this.#received += 1;
    if (this.state === "ended" && message.type !== "summary") return;
    if (message.type === "config_ack") this.#chosen(message);
    this.numbers = message.numbers ?? message.help ?? this.numbers;
    if (message.type === "error" && REFUSED.includes(message.code)) this.#refused();
    if (message.type === "response_started") this.#speaking = message.response_id;
    if (message.type === "response_done" && message.response_id === this.#speaking) this.#speaking = "";
    if (message.type === "audio_response") this.#ack();
    if (message.type === "pong") this.#ledger.answered(), (this.#slept = false);
    if (message.type === "transcript") this.#caption(message);
    this.#emit(message.type, message);
  }

  /** @param {{astrologer_id: string, resume?: Offer}} ack */
  #chosen({ astrologer_id, resume }) {
    if (!this.#wanted) this.#want(astrologer_id);
    const { astrologer_id: wanted } = this.#wanted;
    if (wanted === this.#with) this.#wanted.astrologer_id = astrologer_id; // nobody else is asked for
    this.#with = astrologer_id;
    if (resume) this.#offer = resume;
  }

  /** Whoever is on the line still is. */
  #refused() {
    if (this.#wanted && this.#with) this.#wanted.astrologer_id = this.#with;
  }

  /** @param {string} astrologer */
  #want(astrologer) {
    const { mode, resumable } = this.#options;
    this.#wanted = { astrologer_id: astrologer, audio: mode && { mode }, resumable };
  }

  /** @param {ArrayBuffer} pcm */
  #hearSound(pcm) {
    this.#received += 1;
    if (this.state === "ended") return;
    this.#emit("sound", { response_id: this.#speaking, pcm });
    this.#sound += pcm.byteLength;
    if (this.#sound >= ACK_BYTES) this.#ack();
  }

  /** Tell what was received; an ack counts for its connection alone. */
  #ack() {
    if (!this.#offer) return;
    this.#sound = 0;
    this.#put(JSON.stringify({ type: "ack", received: this.#received }), false);
  }

  /** @param {Caption} transcript as it comes, maybe in pieces */
  #caption({ item_id, role, text, final }) {
    const words = final ? text : (this.#words.get(item_id) ?? "") + text;
    if (final) this.#words.delete(item_id);
    else this.#words.set(item_id, words);
    this.#emit("caption", { item_id, role, text: words, final });
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #closed(code, reason) {
    clearTimeout(this.#beat);
    clearTimeout(this.#timer);
    this.#socket.onclose = null;
    const pause = this.#pauseMs; // told with 4429: the call is kept meanwhile
    this.#pauseMs = 0;
    if (!this.#offer || (afterClose(code) !== "resume" && !pause)) return this.#end(code, reason);
    if (code === MOVES) this.#offer.node = undefined;
    if (this.state !== "away") {
      this.#attempt = 0;
      this.#deadline = performance.now() + this.#offer.seconds * 1000;
      this.#to("away");
    }
    if (performance.now() >= this.#deadline) return this.#end(code, reason);
    const { random } = this.#options;
    const wait = pause ? pause + MOST_BACKOFF_MS * random() : backoff(this.#attempt++, random);
    this.#timer = setTimeout(() => this.#comeBack(), wait);
  }

  /** @param {Ticket} ticket */
  #goOn({ received, speaking, words, said, ...offer }) {
    this.state = "away";
    this.#offer = offer;
    this.#received = received;
    this.#speaking = speaking;
    this.#words = new Map(Object.entries(words));
    this.#ledger = new Ledger(said);
    this.#waiting = said?.waiting ?? [];
    this.#deadline = performance.now() + offer.seconds * 1000;
    this.#comeBack();
  }

  #comeBack() {
    const { token, attach, node } = /** @type {Offer} */ (this.#offer);
    const resume = JSON.stringify({ type: "resume", token, attach, received: this.#received });
    this.#connect({ resume: true, node }, () => this.#socket.send(resume));
    this.#timer = setTimeout(() => this.lose(), TRY_MS);
  }

  /** @param {{attach: number, received: number, uplink_ms?: number, lost_ms?: number, node?: string}} message */
  #resumed(message) {
    clearTimeout(this.#timer);
    const moved = message.lost_ms !== undefined; // to another server: some of the sound may have been heard there
    const kept = this.#ledger.since(message.received);
    const again = message.lost_ms ? kept.filter((frame) => typeof frame === "string") : kept;
    const frames = [...again, ...newest(this.#waiting, message.uplink_ms)];
    this.#offer = { .../** @type {Offer} */ (this.#offer), attach: message.attach };
    if (moved) this.#offer.node = message.node;
    if (moved) this.#breakOff();
    this.#startOver(newest(frames)); // both together: a server does not take any amount of sound at once
    this.#ack(); // the first counted frame confirms
    this.#begin();
    this.#emit("resumed", message);
  }

  /**
   * The old call is gone. Unless it had ended, the persona who is wanted is called anew on this connection.
   * @param {{code: string, message: string, summary?: object}} told
   */
  #notResumed(told) {
    clearTimeout(this.#timer);
    if (told.code === UNKNOWN_NOW && performance.now() < this.#deadline) {
      return this.forget(), this.#closed(LOST, told.message);
    }
    const message = this.#slept && told.code !== "stale" ? { ...told, code: "ended" } : told;
    this.#offer = null;
    this.#with = "";
    this.#startOver([]);
    this.#breakOff();
    this.#words.clear();
    this.#emit("not_resumed", message);
    this.numbers = message.summary?.help ?? this.numbers;
    if (message.summary) this.#emit("summary", { type: "summary", ...message.summary });
    if (this.state === "ended") return; // a listener has hung up
    if (message.code === "stale") return this.forget(), this.#end(ELSEWHERE, message.message); // to call would end that
    if (message.code === "ended" || !this.#wanted) return this.forget(), this.#end(1000, message.message);
    this.#waiting = [JSON.stringify({ type: "config", ...this.#wanted })];
    this.#begin();
  }

  /** Nothing more comes of the reply that was streamed. */
  #breakOff() {
    const id = this.#speaking;
    this.#speaking = "";
    if (id) this.#emit("response_done", { type: "response_done", response_id: id, status: "incomplete" });
  }

  /** @param {(string | Pcm)[]} frames to be sent first on a new connection */
  #startOver(frames) {
    this.#closeLeft();
    this.#waiting = frames;
    this.#ledger = new Ledger();
    this.#received = this.#sound = 0;
  }

  /**
   * @param {number} code
   * @param {string} reason
   */
  #end(code, reason) {
    clearTimeout(this.#beat);
    clearTimeout(this.#timer);
    this.#closeLeft();
    this.#ending = { code, reason, next: afterClose(code), opened: this.#opened };
    this.#to("ended");
    this.#emit("ended", this.#ending);
  }

  /** @param {CallState} state */
  #to(state) {
    this.state = state;
    this.#emit("state", state);
  }

  /**
   * @param {string} type
   * @param {any} message
   */
  #emit(type, message) {
    for (const listener of [...(this.#listeners.get(type) ?? [])]) listener(message);
  }
}

/** @param {object} record without what is undefined or false */
const defined = (record) => Object.fromEntries(Object.entries(record).filter(([, value]) => value));

/** @param {string | Pcm | null} frame */
const isLarge = (frame) => typeof frame === "string" && frame.length > LARGE;

/**
 * What was said while there was no line: all messages, and of the microphone the newest milliseconds.
 * @param {(string | Pcm)[]} frames
 * @param {number} [ms]
 */
function newest(frames, ms = KEPT_MS) {
  let left = ms * 48;
  const kept = [...frames].reverse().filter((frame) => typeof frame === "string" || (left -= frame.byteLength) >= 0);
  return kept.reverse();
}

/** What was sent on one connection and may have to be sent again on the next. */
class Ledger {
  #first = 0; // the number of the oldest frame that is kept
  /** @type {(string | Pcm | null)[]} null: counts, but is not sent again */
  #frames = [];
  /** @type {number[]} how many frames were sent before each ping that has no answer yet */
  #asked = [];

  /** @param {Omit<Said, "waiting">} [said] on another page */
  constructor({ first, frames } = { first: 0, frames: [] }) {
    this.#first = first;
    this.#frames = [...frames];
  }

  /** What another page may have to send again: no sound. */
  get messages() {
    return { first: this.#first, frames: this.#frames.map((frame) => (typeof frame === "string" ? frame : null)) };
  }

  /** A clip was sent, and is perhaps still on its way. */
  get large() {
    return this.#frames.some(isLarge);
  }

  /** @param {string | Pcm | null} frame */
  add(frame) {
    this.#frames.push(frame);
  }

  /** A ping was sent: the server answers when it has handled what came before. */
  asked() {
    this.#asked.push(this.#first + this.#frames.length);
  }

  answered() {
    this.#forget(this.#asked.shift() ?? 0);
  }

  /** @param {number} received so many frames the server has handled; returns the others */
  since(received) {
    this.#forget(received);
    return this.#frames.filter((frame) => frame !== null);
  }

  /** @param {number} count of frames that were handled */
  #forget(count) {
    const handled = Math.max(0, count - this.#first);
    this.#frames.splice(0, handled);
    this.#first += handled;
  }
}
