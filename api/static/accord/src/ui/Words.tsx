/** A sentence of the server. What stands between backticks is code. */
export function Words({ text }: { text: string }) {
  return text.split("`").map((part, place) => {
    const key = `${place}${part}`;
    return place % 2 === 1 ? <code key={key}>{part}</code> : <span key={key}>{part}</span>;
  });
}
