// What this page has written. A server with a read replica answers no query older than the watermark that it sends.

/** By then the replica has replayed what was written, or is not read any more. */
const KEPT_MILLISECONDS = 120_000;
const NAME = "accord-watermark";

let watermark = "";
let writtenAt = 0;

/** The header with the watermark of what was written lately, if anything was. */
export function watermarkHeader() {
  return watermark && Date.now() - writtenAt < KEPT_MILLISECONDS ? { [NAME]: watermark } : {};
}

/** Keep the watermark of the response to a mutation. Of two mutations at once, the greater text is the later one. */
export function keepWatermark(response) {
  const written = response.headers.get(NAME);
  if (written === null) {
    return;
  }
  writtenAt = Date.now();
  if (written > watermark) {
    watermark = written;
  }
}
