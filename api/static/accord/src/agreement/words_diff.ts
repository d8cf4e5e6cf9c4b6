export interface Piece {
  text: string;
  kind: "same" | "removed" | "added";
}

/** The words of two sentences, with those that only one of them has. Runs of words are kept together. */
export function wordsDiff(before: string, after: string): Piece[] {
  const [from, to] = [words(before), words(after)];
  const pieces: Piece[] = [];
  const lengths = commonLengths(from, to);
  let [one, other] = [0, 0];
  while (one < from.length || other < to.length) {
    const [left, right] = [from[one], to[other]];
    if (left !== undefined && left === right) {
      add(pieces, left, "same");
      one += 1;
      other += 1;
    } else if (right === undefined || (left !== undefined && at(lengths, one + 1, other) >= at(lengths, one, other + 1))) {
      add(pieces, left ?? "", "removed");
      one += 1;
    } else {
      add(pieces, right, "added");
      other += 1;
    }
  }
  return pieces;
}

function words(sentence: string): string[] {
  return sentence.match(/\S+\s*/g) ?? [];
}

/** The length of the longest common subsequence of what follows each pair of positions. */
function commonLengths(from: readonly string[], to: readonly string[]): number[][] {
  const lengths = Array.from({ length: from.length + 1 }, () => new Array<number>(to.length + 1).fill(0));
  for (let one = from.length - 1; one >= 0; one -= 1) {
    for (let other = to.length - 1; other >= 0; other -= 1) {
      const row = lengths[one] as number[];
      row[other] =
        from[one] === to[other]
          ? at(lengths, one + 1, other + 1) + 1
          : Math.max(at(lengths, one + 1, other), at(lengths, one, other + 1));
    }
  }
  return lengths;
}

function at(lengths: readonly number[][], one: number, other: number): number {
  return lengths[one]?.[other] ?? 0;
}

function add(pieces: Piece[], text: string, kind: Piece["kind"]): void {
  const last = pieces.at(-1);
  if (last?.kind === kind) {
    last.text += text;
  } else {
    pieces.push({ text, kind });
  }
}
