// When a page is rendered again that its stream has found to be out of date. Many tabs would otherwise ask at once, and
// wait for each other: each chooses a moment of its own, and what changes until then is rendered with it.
const LEAST_SPREAD = 500;         // ms over which tabs ask, however few they are
const ACTED_LONG_AGO = 10_000;    // ms; a reader who has touched the page since sees the consequences at once
const RENDERED_LONG_AGO = 600;    // ms; until then the stream may be older than the page
const RUNNING_DELAY = 200;        // ms until a page whose script runs is looked at again
const ASK_AGAIN_DELAY = 2000;     // ms until a page is asked again that was not rendered; doubled each time
const MAX_ASK_DELAY = 15_000;

// The ms to wait from `now`, on a clock of ms, as all times: 0 or less if the page is to be rendered.
//   since: when it was found out of date; share: a random number from 0 to 1, chosen then
//   spread: over how many ms such pages are rendered again
//   actedAt, renderedAt: when its reader last touched it, and when it was rendered
//   isRunning: whether its script runs already, which renders it for the present states by itself
//   asked: the last request, if that was for the same version: { time, delay }
export function waitToRender(now, { since, share, spread, actedAt, renderedAt, isRunning, asked }) {
  const hasActed = now - actedAt < ACTED_LONG_AGO;
  const chosen = hasActed ? since : since + share * Math.max(LEAST_SPREAD, spread);
  return Math.max(
    chosen,
    renderedAt + RENDERED_LONG_AGO,
    isRunning ? now + RUNNING_DELAY : 0,
    asked ? asked.time + asked.delay : 0,
  ) - now;
}

// For how many ms a request is waited for; a request can get lost among those of the reader's own actions.
export const patience = (asked) => (asked ? Math.min(2 * asked.delay, MAX_ASK_DELAY) : ASK_AGAIN_DELAY);
