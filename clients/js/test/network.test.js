/** Calls that survive their network: to the server that VOICE_SERVER names, over a line that the test cuts. */

import assert from "node:assert/strict";
import { test } from "node:test";

import { Call } from "../call.js";
import { Line } from "./line.js";

const { VOICE_SERVER: server } = process.env;
const wait = { skip: server ? false : "VOICE_SERVER is not set", timeout: 120_000, concurrency: true };
const MOHIT = "mohit_vedic_marriage";
const QUESTION = "When will I marry, and whom?";
let people = 0;

/** A call over a line of its own, with all that it told of; `talk` is over when it is worth coming back to. */
async function called(options = {}) {
  const line = await Line.to(server);
  const user = `network-${process.pid}-${(people += 1)}`;
  const call = new Call(line.url, user, { astrologer: MOHIT, mode: "stream", resumable: true, ...options });
  const told = follow(call);
  call.on("ended", () => setTimeout(() => line.close(), 500)); // the summary is on its way
  return { line, user, call, ...told };
}

/** What a call tells of: its states, how it ended, its last words, and the bytes of each reply. */
function follow(call) {
  const told = { states: [], sounds: new Map(), words: new Map(), ended: new Promise((resolve) => call.on("ended", resolve)) };
  call.on("state", (state) => told.states.push(state));
  call.on("caption", ({ item_id, role, text, final }) => final && told.words.set(item_id, `${role}: ${text}`));
  call.on("sound", ({ response_id: id, pcm }) => {
    told.sounds.set(id, Buffer.concat([told.sounds.get(id) ?? Buffer.alloc(0), Buffer.from(pcm)]));
    call.played(id, told.sounds.get(id).length / 48);
  });
  return told;
}

/** The greeting and an answer, both to their ends. */
async function talk({ call }) {
  await call.once("response_done");
  const answered = call.once("response_done");
  call.type("Hello.");
  await answered;
}

/** Ask, and do something when half a second of the answer is here; its end is waited for. */
async function ask(one, then) {
  const answered = one.call.once("response_done");
  const started = one.call.once("response_started");
  one.call.type(QUESTION);
  const { response_id: id } = await started;
  while ((one.sounds.get(id)?.length ?? 0) < 24_000) await one.call.once("sound");
  await then();
  await answered;
  return one.sounds.get(id);
}

/** The call goes on. */
async function answers(call) {
  const pong = call.once("pong");
  call.say({ type: "ping" });
  await pong;
}

const once = (call, type) => new Promise((resolve) => call.on(type, resolve));

/** What of the same answer is heard over a line that holds. */
const heard = server && called().then(async (one) => {
  await talk(one);
  const pcm = await ask(one, () => {});
  one.call.hangUp();
  return { pcm, words: [...one.words.values()] };
});

test("over the network", wait, async (t) => {
  const losses = {
    "a cut in the middle of an answer": (line) => line.cut(1000),
    "a line that falls silent": (line) => line.fallSilent(500),
    "a second loss while the first is made good": async (line, call) => {
      line.cut(300);
      await call.once("resumed");
      line.cut(300);
    },
    "a `resumed` that comes too late": (line) => {
      line.cut();
      line.late = 6000; // the attempt is given up after 5 s
      setTimeout(() => (line.late = 0), 1000);
    },
  };
  const tests = Object.entries(losses).map(([what, happens]) => t.test(what, async () => {
    const one = await called();
    await talk(one);
    const back = once(one.call, "resumed");
    const pcm = await ask(one, () => happens(one.line, one.call));
    const { away_ms } = await back;
    assert.ok(away_ms >= 0);
    one.call.hangUp();
    const { code } = await one.ended;
    assert.equal(code, 1000);
    assert.deepEqual(one.states.slice(0, 3), ["open", "away", "open"]);
    const whole = await heard;
    assert.deepEqual([...one.words.values()], whole.words);
    assert.ok(pcm.equals(whole.pcm), `${pcm.length} bytes, and not ${whole.pcm.length}`);
  }));

  tests.push(t.test("what is typed and said meanwhile is answered once, and all of it is there", async () => {
    const one = await called();
    await talk(one);
    one.line.cut(500);
    one.call.type("Is it love?"); // on its way, perhaps
    while (one.call.state !== "away") await one.call.once("state");
    one.call.type("Or not?");
    for (let n = 0; n < 50; n++) one.call.send(new Uint8Array(960));
    await one.call.once("response_done");
    const said = [...one.words.values()].filter((words) => words.startsWith("user"));
    assert.deepEqual(said, ["user: Hello.", "user: Is it love?", "user: Or not?"]);
    one.call.hangUp();
  }));

  tests.push(t.test("a call that ends while its line is away", async () => {
    const one = await called();
    await talk(one);
    one.line.cut(60_000);
    await one.call.once("state");
    const other = new Call(server, one.user, { astrologer: MOHIT }); // on another device: it takes the call over
    await other.once("config_ack");
    const [summary, told] = [once(one.call, "summary"), once(one.call, "not_resumed")];
    one.line.back();
    const { code, message } = await told;
    assert.equal(code, "ended");
    assert.equal((await summary).by_persona[0].name, "Mohit");
    assert.deepEqual(await one.ended, { code: 1000, reason: message, next: "never", opened: true });
    await answers(other); // who was away does not end it
    other.hangUp();
  }));

  tests.push(t.test("a reply for which the line is too slow: the same persona is called anew", async () => {
    const one = await called({ mode: "clip" });
    const greeting = await one.call.once("audio_response");
    one.call.type("Hello.");
    await one.call.once("audio_response");
    one.line.passes = (bytes) => bytes < greeting.audio.length / 4;
    one.line.cut();
    one.call.type(QUESTION);
    const { code } = await once(one.call, "not_resumed");
    assert.equal(code, "too_much");
    one.line.passes = () => true;
    assert.equal((await one.call.once("config_ack")).name, "Mohit");
    await one.call.once("audio_response");
    assert.equal(one.call.state, "open");
    one.call.hangUp();
  }));

  tests.push(t.test("another Call goes on by a ticket, the first is to stay away; an old ticket is stale, a foreign one unknown", async () => {
    const one = await called();
    await talk(one);
    const { ticket } = one.call;
    const next = new Call(server, one.user, { mode: "stream", ticket });
    await next.once("resumed");
    const { code, next: then } = await one.ended;
    assert.deepEqual([code, then], [4410, "never"]);
    const refused = async (user, wrong) => {
      const call = new Call(server, user, { ticket: wrong });
      const [{ code }] = await Promise.all([once(call, "not_resumed"), once(call, "ended")]);
      return code;
    };
    assert.equal(await refused("somebody-else", ticket), "unknown");
    await answers(next); // it goes on, and knows that its acknowledgement was handled
    const { ticket: newer } = next;
    assert.equal(await refused(one.user, ticket), "stale");
    await answers(next);
    const over = once(next, "summary");
    next.hangUp();
    await over;
    assert.equal(await refused(one.user, newer), "ended");
  }));

  tests.push(t.test("a server that is cross is left alone", async () => {
    const one = await called();
    await one.call.once("config_ack");
    for (let n = 0; n < 30; n++) one.call.say({ type: "nonsense" });
    const { code, next } = await one.ended;
    assert.deepEqual([code, next, one.line.made], [4400, "never", 1]);
  }));
  await Promise.all(tests);
});
