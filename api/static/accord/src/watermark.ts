// What this page has written. A server with a read replica answers no query older than the watermark that it sends.

/** By then the replica has replayed what was written, or is not read any more. */
const KEPT_MILLISECONDS = 120_000;
const NAME = "Accord-Watermark";

let watermark = "";
let writtenAt = 0;

/** The headers of a request, with the watermark of what was written lately. */
export function withWatermark(headers?: HeadersInit): Headers {
  const sent = new Headers(headers);
  if (watermark && Date.now() - writtenAt < KEPT_MILLISECONDS) {
    sent.set(NAME, watermark);
  }
  return sent;
}

/** Keep the watermark of the response to a mutation. Of two mutations at once, the greater text is the later one. */
export function keepWatermark(response: Response): void {
  const written = response.headers.get(NAME);
  if (written === null) {
    return;
  }
  writtenAt = Date.now();
  if (written > watermark) {
    watermark = written;
  }
}
