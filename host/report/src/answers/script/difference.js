// What two texts differ in, word by word (Myers, "An O(ND) difference algorithm and its variations").

const wordsAndSpaces = (text) => text.match(/[\p{L}\p{N}_]+|\s+|[^\p{L}\p{N}_\s]/gu) ?? [];
// Texts that differ in more than this are not compared any further.
const MOST_EDITS = 800;

// Which tokens of two lists are in both, in order: for each list, a flag a token.
const common = (a, b) => {
  let start = 0, endA = a.length, endB = b.length;
  while (start < endA && start < endB && a[start] === b[start]) start += 1;
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) { endA -= 1; endB -= 1; }
  const inA = a.map((_, at) => at < start || at >= endA), inB = b.map((_, at) => at < start || at >= endB);
  const n = endA - start, m = endB - start, most = Math.min(n + m, MOST_EDITS);
  if (n === 0 || m === 0) return [inA, inB];
  const reach = new Int32Array(2 * most + 3), steps = [];
  for (let edits = 0; edits <= most; edits++) {
    steps.push(reach.slice(most + 1 - edits - 1, most + 1 + edits + 2));
    for (let k = -edits; k <= edits; k += 2) {
      const at = most + 1 + k;
      let x = k === -edits || (k !== edits && reach[at - 1] < reach[at + 1]) ? reach[at + 1] : reach[at - 1] + 1;
      while (x < n && x - k < m && a[start + x] === b[start + x - k]) x += 1;
      reach[at] = x;
      if (x >= n && x - k >= m) {
        traceBack(steps, edits, n, m, (x1, y1) => { inA[start + x1] = true; inB[start + y1] = true; });
        return [inA, inB];
      }
    }
  }
  return [inA, inB];
};

// Walks back over the steps, and calls `visit` for each pair of tokens that are the same.
const traceBack = (steps, edits, n, m, visit) => {
  let x = n, y = m;
  for (let d = edits; d > 0; d--) {
    const reach = steps[d], middle = d + 1, k = x - y;
    const isDown = k === -d || (k !== d && reach[middle + k - 1] < reach[middle + k + 1]);
    const before = isDown ? k + 1 : k - 1, beforeX = reach[middle + before], beforeY = beforeX - before;
    while (x > beforeX && y > beforeY) visit(--x, --y);
    [x, y] = [beforeX, beforeY];
  }
  while (x > 0 && y > 0) visit(--x, --y);
};

// Two texts as lists of [text, whether the other one has it too].
const difference = (one, two) => {
  const a = wordsAndSpaces(one), b = wordsAndSpaces(two);
  const [inA, inB] = common(a, b);
  const runs = (tokens, flags) => tokens.reduce((list, token, at) => {
    const last = list.at(-1);
    // A space between two words that differ is part of what differs.
    const isSame = flags[at] && !(/^\s+$/.test(token) && flags[at - 1] === false && flags[at + 1] === false);
    if (last && last[1] === isSame) last[0] += token;
    else list.push([token, isSame]);
    return list;
  }, []);
  return [runs(a, inA), runs(b, inB)];
};
