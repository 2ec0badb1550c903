/** Coming back to a call, against a server that is played by the test, in time that the test lets pass. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { beforeEach, mock, test } from "node:test";
import { runInNewContext } from "node:vm";

import { AFTER_CLOSE, afterClose, backoff, Call } from "../call.js";
import { Socket } from "./socket.js";

const TICKET = { token: "secret", attach: 0, seconds: 30 };
const ACK = { type: "config_ack", astrologer_id: "tina", name: "Tina", resume: TICKET };
const frame = (mark, bytes = 960) => new Uint8Array(bytes).fill(mark).buffer;
const kinds = (socket) => socket.told.map((one) => one.type ?? one);

/** A call that can come back, with everything that it told of. */
function called(options = {}) {
  const wishes = { astrologer: "tina", mode: "stream", resumable: true, pingMs: 10_000, WebSocket: Socket };
  const call = new Call("https://voice.test/", "user 1", { ...wishes, random: () => 0.5, ...options });
  const told = [];
  for (const type of ["state", "ended", "resumed", "not_resumed", "response_done", "summary", "sound", "caption"]) {
    call.on(type, (message) => told.push([type, message]));
  }
  return { call, told, socket: Socket.last };
}

beforeEach(() => {
  Socket.all = [];
  let now = 0;
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  mock.method(performance, "now", () => now);
  mock.method(Date, "now", () => 1e12 + now);
  globalThis.pass = (ms) => ((now += ms), mock.timers.tick(ms));
});

test("the table says what to do after each close", () => {
  const by = (next) => Object.keys(AFTER_CLOSE).map(Number).filter((code) => afterClose(code) === next);
  assert.deepEqual(by("resume"), [1005, 1006, 1011, 1012, 4413]);
  assert.deepEqual(by("later"), [1001, 4408, 4429, 4500, 4503]);
  assert.deepEqual(by("never"), [1000, 1009, 4400, 4401, 4402, 4403, 4409, 4410]);
});

test("attempts come at once with jitter, then later and later, but not for ever", () => {
  assert.deepEqual([0, 1, 2, 3, 4, 20].map((n) => backoff(n, () => 0)), [0, 500, 1000, 1000, 1000, 1000]);
  assert.deepEqual([0, 1, 2, 3, 4, 20].map((n) => backoff(n, () => 1)), [500, 1000, 2000, 2000, 2000, 2000]);
});

test("whom to call is kept until the call is over, also while the line is away", () => {
  const { call, socket } = called();
  const numbers = [{ name: "Tele-MANAS", number: "14416", languages: ["hi"] }];
  socket.open().says(ACK);
  assert.deepEqual(call.numbers, []);
  socket.says({ type: "notice", code: "help", message: "Please call.", numbers, metered: false });
  socket.says({ type: "notice", code: "waiting", message: "Wait." });
  socket.breaks();
  assert.equal(call.state, "away");
  assert.deepEqual(call.numbers, numbers);
});

test("the address asks for it, and only then", () => {
  const { socket } = called();
  assert.equal(socket.url, "wss://voice.test/ws/user%201?astrologer_id=tina&mode=stream&resumable=true");
  called({ resumable: false });
  assert.equal(Socket.last.url, "wss://voice.test/ws/user%201?astrologer_id=tina&mode=stream");
});

test("sound is acknowledged every two seconds, whole replies at once, with a count of all frames", () => {
  const { socket } = called();
  socket.open().says(ACK).says({ type: "response_started", response_id: "1.1" });
  for (let n = 0; n < 99; n++) socket.says(frame(n));
  assert.deepEqual(socket.told, []);
  socket.says(frame(99));
  assert.deepEqual(socket.told, [{ type: "ack", received: 102 }]);
  socket.says({ type: "audio_response", response_id: "1.2", audio: "" });
  assert.deepEqual(socket.told[1], { type: "ack", received: 103 });
});

test("a server that does not know of it is not acknowledged, and a loss ends the call", () => {
  const { told, socket } = called();
  socket.open().says({ ...ACK, resume: undefined });
  for (let n = 0; n < 200; n++) socket.says(frame(n));
  assert.deepEqual(socket.told, []);
  socket.breaks();
  assert.deepEqual(told.at(-1), ["ended", { code: 1006, reason: "", next: "resume", opened: true }]);
});

test("what was not handled is said again, in its order, behind the ack that confirms; acks and pings are not", () => {
  const { call, told, socket } = called();
  socket.open().says(ACK);
  call.send(frame(1));
  call.type("first");
  for (let n = 0; n < 100; n++) socket.says(frame(0)); // an ack goes out here
  call.send(frame(2));
  pass(10_000); // and a ping
  call.type("second");
  assert.deepEqual(kinds(socket), [1, "text", "ack", 2, "ping", "text"]);
  socket.breaks();
  assert.equal(call.state, "away");
  call.send(frame(3));
  call.type("third");
  call.send(frame(4));
  assert.equal(Socket.all.length, 1);
  pass(250);

  const next = Socket.last.open();
  assert.equal(next.url, "wss://voice.test/ws/user%201?resume=true");
  assert.deepEqual(next.told, [{ type: "resume", token: "secret", attach: 0, received: 101 }]);
  call.send(frame(5));
  assert.equal(next.sent.length, 1); // nothing before the answer
  next.says({ type: "resumed", attach: 1, received: 3, away_ms: 250, uplink_ms: 40 });
  assert.deepEqual(next.told.slice(1), [
    { type: "ack", received: 0 },
    2,
    { type: "text", text: "second" },
    { type: "text", text: "third" },
    4, // of the microphone only the newest 40 ms
    5,
  ]);
  assert.equal(call.state, "open");
  assert.ok(told.some(([type]) => type === "resumed"));
});

test("to another server messages are sent again, and no sound that was perhaps heard", () => {
  const { call, socket } = called({ mode: "stream" });
  socket.open().says({ ...ACK, resume: { ...ACK.resume, node: "a" } });
  call.send(frame(1));
  call.type("first");
  socket.breaks(1012);
  pass(500);
  const next = Socket.last.open();
  assert.equal(next.url, "wss://voice.test/ws/user%201?resume=true"); // without the server that gave it away
  next.says({ type: "resumed", attach: 1, received: 0, away_ms: 90, uplink_ms: 0, lost_ms: 90, asked_again: false, node: "b" });
  assert.deepEqual(next.told.slice(1), [
    { type: "ack", received: 0 },
    { type: "text", text: "first" },
  ]);
  call.send(frame(2));
  next.breaks();
  pass(500);
  const third = Socket.last.open();
  assert.equal(third.url, "wss://voice.test/ws/user%201?resume=true&node=b");
  third.says({ type: "resumed", attach: 2, received: 2, away_ms: 9, uplink_ms: 0, lost_ms: 0, asked_again: false });
  assert.deepEqual(third.told.slice(1), [{ type: "ack", received: 0 }, 2]); // nothing was lost: all of it
});

test("both counts begin again on each connection", () => {
  const { call, socket } = called();
  socket.open().says(ACK);
  call.type("one");
  socket.breaks();
  pass(250);
  Socket.last.open().says({ type: "resumed", attach: 1, received: 1, away_ms: 9, uplink_ms: 0 });
  Socket.last.says({ type: "transcript", role: "assistant", item_id: "1.1", text: "Namaste", final: true });
  call.type("two");
  call.type("three");
  Socket.last.breaks();
  pass(250);
  const third = Socket.last.open();
  assert.deepEqual(third.told, [{ type: "resume", token: "secret", attach: 1, received: 1 }]);
  third.says({ type: "resumed", attach: 2, received: 2, away_ms: 9, uplink_ms: 0 }); // the ack, and "two"
  assert.deepEqual(third.told.slice(1), [{ type: "ack", received: 0 }, { type: "text", text: "three" }]);
});

test("an answer that was lost on its way is asked for again", () => {
  const { call, socket } = called();
  socket.open().says(ACK);
  call.type("one");
  socket.breaks();
  pass(250);
  Socket.last.open().says({ type: "error", code: "busy", message: "not now" }); // it is not of the call: not counted
  Socket.last.breaks(); // the server has said `resumed`, and nobody heard it
  pass(750);
  const third = Socket.last.open();
  assert.deepEqual(third.told, [{ type: "resume", token: "secret", attach: 0, received: 1 }]);
  third.says({ type: "resumed", attach: 2, received: 0, away_ms: 9, uplink_ms: 0 });
  assert.deepEqual(third.told[2], { type: "text", text: "one" });
});

/** The newest connection is turned away for a while; returns it. */
function refused() {
  const one = Socket.last.open();
  one.says({ type: "error", code: "busy", message: "too many", limit: "address_connects", retry_after: 2 });
  one.breaks(4429, "too many");
  return one;
}

const TOO_MANY = ["ended", { code: 4429, reason: "too many", next: "later", opened: true }];

test("a server that has too much to do is asked again when it says", () => {
  const { call, told, socket } = called();
  const errors = [];
  call.on("error", (error) => errors.push(error));
  socket.open().says(ACK);
  call.type("one");
  socket.breaks();
  pass(250);
  const first = refused();
  assert.equal(call.state, "away");
  pass(2999); // two seconds, and some jitter
  assert.equal(Socket.last, first);
  pass(1);
  Socket.last.open().says({ type: "resumed", attach: 1, received: 0, away_ms: 9, uplink_ms: 0 });
  assert.deepEqual(Socket.last.told[2], { type: "text", text: "one" });
  assert.deepEqual(errors, []); // it is none that the caller can do something about
  Socket.last.breaks(4429, "too many"); // of the call itself
  assert.deepEqual(told.at(-1), TOO_MANY);
});

test("but for as long as a call waits, and no longer", () => {
  const { call, told, socket } = called();
  socket.open().says(ACK).breaks();
  pass(250);
  for (let waited = 250; waited < 30_000; waited += 3000) {
    refused();
    assert.equal(call.state, "away");
    pass(3000);
  }
  refused();
  assert.deepEqual(told.at(-1), TOO_MANY);
});

test("an answer to a ping shows that what came before it was handled", () => {
  const { call, socket } = called();
  socket.open().says(ACK);
  call.type("one");
  pass(10_000);
  call.type("two");
  socket.says({ type: "pong" }).breaks();
  pass(250);
  Socket.last.open().says({ type: "resumed", attach: 1, received: 0, away_ms: 9, uplink_ms: 0 }); // fewer, so that it is seen
  assert.deepEqual(Socket.last.told.slice(2), [{ type: "text", text: "two" }]);
});

for (const [mode, ms] of [["stream", 5000], ["clip", 20_000]]) {
  test(`a line that answers no ping is lost, after ${ms} ms in ${mode} mode`, () => {
    const { call, socket } = called({ mode, pingMs: undefined });
    socket.open().says(ACK);
    pass(ms / 2);
    pass(ms / 2 - 1);
    assert.equal(call.state, "open");
    pass(1);
    assert.equal(call.state, "away");
    assert.equal(socket.code, undefined); // if it is not lost, a close with 1000 would end the call
    pass(500);
    Socket.last.open().says({ type: "resumed", attach: 1, received: 0, away_ms: 9, uplink_ms: 0 });
    assert.equal(socket.code, 1000);
  });
}

test("who waits for a whole reply on a slow line does not give it up", () => {
  const { call, socket } = called({ mode: "clip", pingMs: undefined });
  socket.open().says(ACK).says({ type: "text_response", response_id: "1.1", text: "a long answer" });
  pass(10_000); // a ping, whose answer waits behind the reply
  for (let n = 0; n < 10; n++) pass(10_000);
  assert.equal(call.state, "open");
  assert.equal(kinds(socket).filter((kind) => kind === "ping").length, 1);
  socket.says({ type: "audio_response", response_id: "1.1", audio: "" }).says({ type: "pong" });
  pass(10_000);
  assert.equal(call.state, "open");
  pass(10_000);
  assert.equal(call.state, "away"); // nothing is on its way any more, and nobody has answered
});

test("15 s of the microphone are kept in all: of what was sent and not handled, and of what came since", () => {
  const { call, socket } = called();
  socket.open().says(ACK);
  for (let n = 0; n < 100; n++) call.send(frame(1)); // 2 s, of which the server has handled 10 frames
  socket.breaks();
  for (let n = 0; n < 700; n++) call.send(frame(2)); // 14 s
  call.type("after it");
  pass(250);
  Socket.last.open().says({ type: "resumed", attach: 1, received: 10, away_ms: 14_000, uplink_ms: 15_000 });
  const sound = Socket.last.told.filter((one) => typeof one === "number");
  assert.deepEqual([sound.length, sound.indexOf(2)], [750, 50]);
  assert.equal(Socket.last.told.at(-1).text, "after it");
});

test("who hears that the call is not resumed may hang up, and nobody is called", () => {
  const { call, socket } = called();
  socket.open().says(ACK).breaks();
  call.on("not_resumed", () => call.hangUp("no"));
  pass(250);
  Socket.last.open().says({ type: "not_resumed", code: "stale", message: "it has gone on elsewhere" });
  assert.equal(call.state, "ended");
  assert.deepEqual(kinds(Socket.last), ["resume"]);
  assert.equal(Socket.last.code, 1000);
});

test("where nobody is named, a ticket that is not taken ends the call", () => {
  const ticket = { ...TICKET, received: 3, speaking: "", words: {} };
  const { call, told } = called({ astrologer: undefined, ticket });
  Socket.last.open().says({ type: "not_resumed", code: "unknown", message: "no such call" });
  assert.equal(call.state, "ended");
  assert.deepEqual(told.at(-1)[1], { code: 1000, reason: "no such call", next: "never", opened: false });
  assert.deepEqual(kinds(Socket.last), ["resume"]);
});

test("a call that was found by its words keeps its mode when it must begin anew", () => {
  const { socket } = called({ astrologer: undefined, match: "marriage" });
  socket.open().says(ACK).breaks();
  pass(250);
  Socket.last.open().says({ type: "not_resumed", code: "too_much", message: "too much" });
  const audio = { mode: "stream" };
  assert.deepEqual(Socket.last.told[1], { type: "config", astrologer_id: "tina", audio, resumable: true });
});

test("attempts go on until the server has forgotten the call; one that hangs is given up", () => {
  const { call, told, socket } = called();
  socket.open().says(ACK).breaks(4413, "too slow");
  for (let n = 0; n < 40; n++) pass(1000);
  assert.equal(call.state, "ended");
  assert.deepEqual(told.at(-1), ["ended", { code: 1006, reason: "", next: "resume", opened: true }]);
  assert.ok(Socket.all.length >= 4 && Socket.all.length < 8, `${Socket.all.length} connections`);
  const dialled = Socket.all.length;
  pass(60_000);
  assert.equal(Socket.all.length, dialled);
});

test("a network that is back is not waited for", () => {
  const { call, socket } = called();
  socket.open().says(ACK);
  call.lose();
  call.retry();
  assert.equal(Socket.all.length, 2);
  call.retry(); // one attempt at a time
  assert.equal(Socket.all.length, 2);
});

for (const code of [1000, 1001, 1009, 4400, 4408, 4409, 4410, 4429, 4500, 4503]) {
  test(`${code} is not resumed`, () => {
    const { call, told, socket } = called();
    socket.open().says(ACK).breaks(code, "why");
    pass(60_000);
    assert.equal(call.state, "ended");
    assert.equal(Socket.all.length, 1);
    assert.deepEqual(told.at(-1)[1], { code, reason: "why", next: afterClose(code), opened: true });
  });
}

test("a call that cannot be whole begins anew with the same persona", () => {
  const { call, told, socket } = called();
  socket.open().says(ACK);
  call.choose("mohit", { mode: "stream" });
  socket.breaks();
  call.type("to nobody");
  pass(250);
  Socket.last.open().says({ type: "not_resumed", code: "too_much", message: "too much was said" });
  const audio = { mode: "stream" };
  assert.deepEqual(Socket.last.told[1], { type: "config", astrologer_id: "mohit", audio, resumable: true });
  assert.equal(Socket.last.sent.length, 2);
  assert.equal(call.state, "open");
  Socket.last.says({ ...ACK, resume: { ...TICKET, token: "another" } }).breaks();
  pass(250);
  assert.deepEqual(Socket.last.open().told, [{ type: "resume", token: "another", attach: 0, received: 1 }]);
  assert.ok(told.some(([type, { code }]) => type === "not_resumed" && code === "too_much"));
});

test("a call that has ended meanwhile is summed up", () => {
  const { call, told, socket } = called();
  socket.open().says(ACK).breaks();
  pass(250);
  const summary = { seconds: 9, by_persona: [] };
  Socket.last.open().says({ type: "not_resumed", code: "ended", message: "the call has ended", summary });
  assert.equal(call.state, "ended");
  assert.deepEqual(told.slice(-3), [
    ["summary", { type: "summary", ...summary }],
    ["state", "ended"],
    ["ended", { code: 1000, reason: "the call has ended", next: "never", opened: true }],
  ]);
});

test("who hangs up while the line is away is not called back", () => {
  const { call, socket } = called();
  socket.open().says(ACK).breaks();
  call.hangUp();
  pass(60_000);
  assert.equal(Socket.all.length, 1);
  assert.equal(call.state, "ended");
});

test("another page goes on with the call, by its ticket", () => {
  const { call, socket } = called();
  assert.equal(call.ticket, null);
  socket.open().says(ACK).says({ type: "response_started", response_id: "1.1" }).says(frame(1));
  socket.says({ type: "transcript", role: "assistant", item_id: "1.1", text: "Nama", final: false });
  const said = { first: 0, frames: [], waiting: [] };
  assert.deepEqual(call.ticket, { ...TICKET, received: 4, speaking: "1.1", words: { 1.1: "Nama" }, said });
  const { call: next, told } = called({ ticket: call.ticket });
  assert.equal(next.state, "away");
  assert.equal(Socket.last.url, "wss://voice.test/ws/user%201?resume=true");
  assert.deepEqual(Socket.last.open().told, [{ type: "resume", token: "secret", attach: 0, received: 4 }]);
  Socket.last.says({ type: "resumed", attach: 1, received: 0, away_ms: 900, uplink_ms: 0 });
  assert.equal(next.state, "open");
  const acked = { ...said, frames: [null] };
  assert.deepEqual(next.ticket, { ...TICKET, attach: 1, received: 0, speaking: "1.1", words: { 1.1: "Nama" }, said: acked });
  Socket.last.says(frame(2)).says({ type: "transcript", role: "assistant", item_id: "1.1", text: "ste.", final: false });
  assert.deepEqual(told.map(([type]) => type), ["state", "resumed", "sound", "caption"]);
  assert.deepEqual([told[2][1].response_id, told[3][1].text], ["1.1", "Namaste."]);
});

test("another page sends again what the server has not handled, and what waited for a line; no sound", () => {
  const { call, socket } = called();
  socket.open().says(ACK);
  call.type("handled");
  pass(10_000); // a ping
  call.send(frame(1));
  call.type("perhaps not");
  socket.says({ type: "pong" }).breaks();
  call.type("not yet");
  call.send(frame(2));
  called({ ticket: JSON.parse(JSON.stringify(call.ticket)) });
  Socket.last.open().says({ type: "resumed", attach: 1, received: 3, away_ms: 900, uplink_ms: 15_000 });
  assert.deepEqual(Socket.last.told.slice(1), [
    { type: "ack", received: 0 },
    { type: "text", text: "perhaps not" },
    { type: "text", text: "not yet" },
  ]);
});

test("a reply that was being streamed is over when the call moves or begins anew; else it goes on", () => {
  const done = (told) => told.filter(([type]) => type === "response_done").map(([, message]) => message);
  const answers = [
    { type: "resumed", attach: 1, received: 0, away_ms: 9, uplink_ms: 0 },
    { type: "resumed", attach: 1, received: 0, away_ms: 9, uplink_ms: 0, lost_ms: 0, asked_again: true, node: "b" },
    { type: "not_resumed", code: "too_much", message: "too much" },
  ];
  for (const [n, answer] of answers.entries()) {
    const { told, socket } = called();
    const start = { type: "response_started", response_id: "1.1" };
    socket.open().says(ACK).says(start).says({ type: "response_done", response_id: "1.1", status: "completed" });
    socket.says({ ...start, response_id: "1.2" }).says(frame(1)).breaks();
    pass(250);
    Socket.last.open().says(answer);
    const cut = { type: "response_done", response_id: "1.2", status: "incomplete" };
    assert.deepEqual(done(told).slice(1), n ? [cut] : []);
  }
});

test("a clip that takes long on a slow line is not given up while it goes on being sent", () => {
  for (const resumable of [true, false]) {
    const { call, socket } = called({ mode: "clip", pingMs: undefined, resumable });
    socket.open().says({ ...ACK, resume: resumable ? TICKET : undefined });
    pass(10_000); // a ping
    socket.says({ type: "pong" });
    call.clip("x".repeat(960_000)); // 60 s
    for (socket.bufferedAmount = 960_000; socket.bufferedAmount > 0; pass(10_000)) socket.bufferedAmount -= 160_000;
    assert.equal(call.state, "open");
    socket.says({ type: "pong" });
    pass(10_000);
    assert.equal(call.state, "open");
    pass(10_000);
    assert.equal(call.state, resumable ? "away" : "ended"); // nothing is on its way any more, and nobody has answered
  }
});

test("where nobody can tell how much was sent, a clip is waited for as long as a server would, but not for too long", () => {
  for (const [size, ms] of [[160_000, 10_000], [4_000_000, 30_000]]) {
    const { call, socket } = called({ mode: "clip", pingMs: 5000 });
    socket.open().says(ACK);
    call.clip("x".repeat(size));
    for (let waited = 0; waited < ms; waited += 5000) {
      assert.equal(call.state, "open");
      pass(5000);
    }
    pass(5000);
    assert.equal(call.state, "away");
  }
});

test("a ping of the app does not count for one of the client", () => {
  const { call, socket } = called();
  socket.open().says(ACK);
  call.say({ type: "ping" });
  call.type("one");
  pass(10_000); // a ping
  socket.says({ type: "pong" }).breaks(); // to the first
  pass(250);
  Socket.last.open().says({ type: "resumed", attach: 1, received: 1, away_ms: 9, uplink_ms: 0 });
  assert.deepEqual(Socket.last.told.slice(2), [{ type: "text", text: "one" }]);
});

test("who wakes up after an hour is not called anew, whatever the server still knows", () => {
  for (const last of [[], [{ type: "transcript", role: "assistant", item_id: "1.1", text: "Nama", final: true }]]) {
    const { told, socket } = called();
    socket.open().says(ACK);
    mock.method(Date, "now", () => 1e12 + 3_600_000 + performance.now()); // the timers have slept, too
    for (const message of last) socket.says(message); // it had come before
    socket.breaks();
    pass(250);
    Socket.last.open().says({ type: "not_resumed", code: "unknown", message: "no such call" });
    assert.deepEqual(kinds(Socket.last), ["resume"]);
    assert.deepEqual(told.at(-1), ["ended", { code: 1000, reason: "no such call", next: "never", opened: true }]);
    assert.equal(told.find(([type]) => type === "not_resumed")[1].code, "ended");
    mock.method(Date, "now", () => 1e12 + performance.now());
  }
});

test("a call that cannot be found now is asked for again, for as long as a call waits; then another one begins", () => {
  const { call, told, socket } = called();
  socket.open().says(ACK).breaks();
  call.type("wait");
  const lost = { type: "not_resumed", code: "unavailable", message: "not now" };
  for (let n = 0; n < 20; n++) {
    pass(1500);
    if (n === 19) pass(2000);
    assert.equal(call.state, "away");
    Socket.last.open().says(lost);
    if (n < 19) assert.deepEqual([kinds(Socket.last), Socket.last.code], [["resume"], 1000]);
  }
  assert.deepEqual(kinds(Socket.last), ["resume", "config"]);
  assert.equal(told.filter(([type]) => type === "not_resumed").length, 1);

  const other = called();
  other.socket.open().says(ACK).breaks();
  pass(250);
  Socket.last.open().says(lost);
  pass(2000);
  Socket.last.open().says({ type: "resumed", attach: 1, received: 0, away_ms: 9, uplink_ms: 0 });
  assert.equal(other.call.state, "open");
});

test("a call that goes on over another connection is not ended by a new one", () => {
  const { told, socket } = called();
  socket.open().says(ACK).breaks();
  pass(250);
  Socket.last.open().says({ type: "not_resumed", code: "stale", message: "it goes on elsewhere" });
  assert.deepEqual(kinds(Socket.last), ["resume"]);
  assert.deepEqual(told.at(-1)[1], { code: 4410, reason: "it goes on elsewhere", next: "never", opened: true });
});

test("who was refused is not called anew; who was chosen last is", () => {
  for (const [told, anew] of [
    [[{ type: "error", code: "busy", message: "talks to others" }], "tina"],
    [[{ type: "error", code: "bad_message", message: "of something else" }], "mohit"],
    [[{ ...ACK, astrologer_id: "mohit" }, { ...ACK, astrologer_id: "vikram" }], "vikram"], // as the server wants it
  ]) {
    const { call, socket } = called();
    socket.open().says(ACK);
    call.choose("mohit");
    for (const message of told) socket.says(message);
    socket.breaks();
    pass(250);
    Socket.last.open().says({ type: "not_resumed", code: "unknown", message: "no such call" });
    assert.equal(Socket.last.told[1].astrologer_id, anew);
  }
});

test("captions are whole, whether they come in pieces or again", () => {
  const { told, socket } = called();
  const say = (text, final) => socket.says({ type: "transcript", role: "assistant", item_id: "1.1", text, final });
  socket.open();
  say("Nama", false);
  say("ste. ", false);
  say("Namaste. Ask!", true);
  say("Namaste.", true);
  const texts = told.filter(([type]) => type === "caption").map(([, { text }]) => text);
  assert.deepEqual(texts, ["Nama", "Namaste. ", "Namaste. Ask!", "Namaste."]);
});

test("what is said before the line is open waits; sound does not", () => {
  const { call, socket } = called();
  call.type("early");
  call.send(frame(1));
  socket.open();
  assert.deepEqual(socket.told, [{ type: "text", text: "early" }]);
});

test("it needs timers, a clock and a WebSocket, and nothing of a page: as in React Native, whose close has no code", async () => {
  const code = (await readFile(new URL("../call.js", import.meta.url), "utf8")).replaceAll(/^export /gm, "");
  const world = { setTimeout, clearTimeout, performance, WebSocket: Socket };
  const There = runInNewContext(`${code}; Call`, world);
  const call = new There("https://voice.test", "user", { astrologer: "tina", mode: "stream", resumable: true });
  Socket.last.open().says(ACK).onclose({});
  call.send(frame(1));
  pass(500);
  Socket.last.open().says({ type: "resumed", attach: 1, received: 0, away_ms: 9, uplink_ms: 15_000 });
  assert.deepEqual(Socket.last.told.slice(1), [{ type: "ack", received: 0 }, 1]);
  assert.equal(call.state, "open");
});
