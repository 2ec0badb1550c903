/** What a persona of the catalogue looks like on the page: a colour, a face, its hours, the language of its words. */

/**
 * One entry of `GET /api/astrologers`.
 * @typedef {object} Persona
 * @property {string} astrologer_id
 * @property {string} name
 * @property {string} speciality
 * @property {string} language English name of the language that is spoken
 * @property {string} persona one line about who this is
 * @property {"active" | "inactive"} status
 * @property {boolean} open it takes calls now
 * @property {string} [opens] when it does again, if it has hours
 * @property {boolean} [adults_only] callers who are known to be minors cannot call
 * @property {{per_minute: number, currency: string, free_seconds?: number, rounding?: string}} [pricing]
 */

const SVG = "http://www.w3.org/2000/svg";
const WEEK_MS = 6 * 86_400_000; // and a weekday means one day only

/**
 * The hue of a persona, in degrees; always the same for the same id.
 * @param {string} id
 */
export function hue(id) {
  let sum = 0;
  for (const letter of id) sum = (sum * 131 + letter.codePointAt(0)) % 65_521;
  return (sum * 97) % 360; // ids that differ little get colours far apart
}

/**
 * A face: initials in a wheel of twelve houses.
 * @param {string} name
 */
export function face(name) {
  const svg = shape("svg", { viewBox: "0 0 48 48", class: "avatar", "aria-hidden": "true" });
  const letters = shape("text", { x: "24", y: "24", dy: ".35em", "text-anchor": "middle" });
  letters.textContent = initials(name);
  const wheel = { cx: "24", cy: "24", r: "22", pathLength: "12", class: "houses" };
  svg.append(shape("circle", { cx: "24", cy: "24", r: "19", class: "disc" }), shape("circle", wheel), letters);
  return svg;
}

/**
 * @param {string} name of the element
 * @param {Record<string, string>} attributes
 */
function shape(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/**
 * The first letters of the first two words, with the vowel signs that belong to them.
 * @param {string} name
 */
export function initials(name) {
  const letters = name.trim().split(/\s+/).slice(0, 2).map((word) => word.match(/^\P{M}\p{M}*/u)?.[0] ?? "");
  return letters.join("").toLocaleUpperCase();
}

/**
 * Whether it takes calls, and when again, by the clock of who reads it.
 * @param {Persona} persona
 */
export function standing({ open, opens }) {
  if (open || !opens) return open ? "Open" : "Closed";
  const moment = new Date(opens);
  const near = moment - Date.now() < WEEK_MS;
  const format = near ? { weekday: "short", hour: "numeric", minute: "2-digit" } : { day: "numeric", month: "short" };
  return `Closed until ${moment.toLocaleString("en", format)}`;
}

const english = new Intl.DisplayNames(["en"], { type: "language", fallback: "none" });
const ALPHABET = [..."abcdefghijklmnopqrstuvwxyz"];

/** @type {Map<string, string>} English names of languages, to their ISO 639-1 codes. */
const CODES = new Map(
  ALPHABET.flatMap((a) => ALPHABET.map((b) => new Intl.Locale(a + b).language))
    .map((code) => [english.of(code) ?? "", code]),
);

/**
 * The code for `lang` of some words by or for somebody who speaks `language` (its English name, or a code): that
 * language where they are in its script, else the most usual one of their script that is spoken here, or "".
 * @param {string} text
 * @param {string} language
 */
export function languageOf(text, language) {
  return [CODES.get(language) ?? language, "en", "hi"].find((code) => isWritten(text, code)) ?? "";
}

/**
 * @param {string} text
 * @param {string} code
 */
function isWritten(text, code) {
  try {
    return new RegExp(`\\p{Script=${new Intl.Locale(code).maximize().script}}`, "u").test(text);
  } catch { // no code, or a language that mixes scripts, as Japanese does
    return code.length === 2;
  }
}
