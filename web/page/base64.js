/** Bytes as letters, and back. */

const AT_ONCE = 8192; // letters that are made by one call

/** @param {string} base64 */
export function bytes(base64) {
  return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)).buffer;
}

/**
 * @param {ArrayBuffer[]} pieces
 * @param {number} [from] so many bytes are left out
 */
export function letters(pieces, from = 0) {
  const all = pieces.flatMap((piece) => [...new Uint8Array(piece)]).slice(from);
  let text = "";
  for (let at = 0; at < all.length; at += AT_ONCE) text += String.fromCharCode(...all.slice(at, at + AT_ONCE));
  return btoa(text);
}
