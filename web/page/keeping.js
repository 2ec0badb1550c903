/** A call across a reload of the page: kept for as long as the server keeps it, in this tab alone. */

/** @typedef {import("./conversation.js").Kept} Kept */

const PLACE = "call";

/** @param {Kept} kept its ticket is a secret of this tab */
export function keep(kept) {
  const unheard = { ...kept, rest: [], whole: [] }; // that, and what is being sent, may be more than there is room for
  const calls = [kept, unheard, { ...unheard, owed: false, ticket: { ...kept.ticket, said: undefined } }];
  calls.some((call) => put(JSON.stringify({ ...call, until: Date.now() + kept.ticket.seconds * 1000 })));
}

/** @param {string} text */
function put(text) {
  try {
    sessionStorage.setItem(PLACE, text);
    return true;
  } catch { // it does not fit
    return false;
  }
}

/** The call to go on with, once; null if there is none. @returns {Kept | null} */
export function take() {
  const { until, ...kept } = JSON.parse(sessionStorage.getItem(PLACE) ?? "{}");
  sessionStorage.removeItem(PLACE);
  return until > Date.now() ? kept : null;
}
