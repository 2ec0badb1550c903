/** Calls to the server that VOICE_SERVER names; VOICE_QUESTION is a file of PCM, somebody who asks when they marry. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { afterEach, test } from "node:test";

import { Call } from "../call.js";

const { VOICE_SERVER: server, VOICE_QUESTION: file } = process.env;
const wait = { skip: server ? false : "VOICE_SERVER is not set", timeout: 120_000 };
const TINA = "tina_kulkarni_vedic_marriage";
const MOHIT = "mohit_vedic_marriage";
const FRAME = 960;
const people = new Set();
const calls = [];

/** A call by somebody of their own. */
function called(options) {
  const user = `js-${process.pid}-${people.size}`;
  people.add(user);
  calls.push(new Call(server, user, options));
  return calls.at(-1);
}

afterEach(() => calls.splice(0).forEach((call) => call.hangUp())); // also where a test failed

/** The next message of a type, also after the end. */
const told = (call, type) => new Promise((resolve) => call.on(type, resolve));

/** Send the microphone in real time, silence behind it, until the call ends. */
function speak(call, pcm = new Uint8Array(0)) {
  let at = 0;
  const began = performance.now();
  const timer = setInterval(() => {
    for (; at * 20 < performance.now() - began; at += 1) {
      const frame = new Uint8Array(FRAME);
      frame.set(pcm.subarray(at * FRAME, (at + 1) * FRAME));
      call.send(frame);
    }
  }, 20);
  call.on("ended", () => clearInterval(timer));
}

test("a streamed call: a greeting, a spoken question, its answer, an interruption, a switch, the end", wait, async () => {
  const call = called({ astrologer: TINA, mode: "stream" });
  const started = call.once("response_started");
  const greeted = call.once("response_done");
  const heard = new Map();
  call.on("sound", ({ response_id, pcm }) => {
    heard.set(response_id, (heard.get(response_id) ?? 0) + pcm.byteLength);
    call.played(response_id, heard.get(response_id) / 48);
  });
  const captions = new Map();
  call.on("caption", (caption) => captions.set(caption.item_id, caption));
  assert.equal((await call.once("config_ack")).name, "Tina Kulkarni");
  assert.equal(call.state, "open");
  const { response_id: greeting } = await started;
  assert.equal((await greeted).status, "completed");
  assert.ok(heard.get(greeting) > 96_000, "two seconds of a greeting");
  assert.match(captions.get(greeting).text, /नमस्ते/);

  const [asked, answered] = [call.once("speech_started"), call.once("response_started")];
  speak(call, new Uint8Array(await readFile(file)));
  await asked;
  const { response_id: answer } = await answered;
  await call.once("sound");
  const [cleared, done] = [call.once("clear"), call.once("response_done")];
  call.interrupt();
  assert.equal((await cleared).response_id, answer);
  assert.equal((await done).status, "cancelled");
  assert.ok([...captions.values()].some(({ role, text, final }) => role === "user" && final && /शादी|विवाह/.test(text)));

  const [chosen, hello] = [call.once("config_ack"), call.once("response_started")];
  call.choose(MOHIT);
  assert.equal((await chosen).name, "Mohit");
  assert.equal((await hello).astrologer_id, MOHIT);
  await call.once("sound");

  const [summary, ended] = [told(call, "summary"), told(call, "ended")];
  call.hangUp();
  assert.deepEqual(await ended, { code: 1000, reason: "you hung up", next: "never", opened: true });
  assert.deepEqual((await summary).by_persona.map(({ name }) => name), ["Tina Kulkarni", "Mohit"]);
});

test("a call in clip mode, with a typed turn", wait, async () => {
  const call = called({});
  call.choose(MOHIT, { mode: "clip", profile: { name: "Asha" } });
  assert.equal((await call.once("audio_response")).mime_type, "audio/wav");
  const answer = call.once("audio_response");
  call.type("When will I marry?");
  assert.match((await call.once("text_response")).text, /marr/i);
  await answer;
  const pong = call.once("pong");
  call.say({ type: "ping" });
  await pong;
  const summary = told(call, "summary");
  call.hangUp();
  assert.equal((await summary).by_persona[0].name, "Mohit");
});

test("a refusal is an error, and the call goes on", wait, async () => {
  const call = called({});
  call.choose("nobody_at_all");
  assert.equal((await call.once("error")).code, "unknown_astrologer");
  call.choose(MOHIT);
  await call.once("config_ack");
  call.hangUp();
});

test("another device takes the call: never call back", wait, async () => {
  const first = called({ astrologer: MOHIT });
  await first.once("config_ack");
  const ended = told(first, "ended");
  const second = new Call(server, [...people].at(-1), { astrologer: MOHIT });
  const taken = second.once("config_ack");
  const { code, next } = await ended;
  assert.deepEqual([code, next], [4409, "never"]);
  await assert.rejects(first.once("pong"), { code: 4409 });
  await taken;
  second.hangUp();
});

test("a server that is not there", wait, async () => {
  const call = new Call("ws://127.0.0.1:9", "nobody");
  const { code, next, opened } = await told(call, "ended");
  assert.deepEqual([code, next, opened], [1006, "resume", false]);
});
