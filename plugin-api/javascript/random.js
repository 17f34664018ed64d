// The seeded generator that belongs to every call.

const ALL = (1n << 64n) - 1n;

/** A small deterministic generator (SplitMix64: Steele, Lea and Flood 2014), the same on every platform. */
export class Random {
  #state;

  constructor(seed) {
    this.#state = BigInt(seed) & ALL;
  }

  nextU64() {
    this.#state = (this.#state + 0x9e3779b97f4a7c15n) & ALL;
    let z = this.#state;
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & ALL;
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & ALL;
    return z ^ (z >> 31n);
  }

  nextFloat() {
    return Number(this.nextU64() >> 11n) / 2 ** 53;
  }

  below(bound) {
    // Without bias (Lemire 2019).
    const limit = BigInt(bound);
    if (limit <= 0n) return 0;
    const threshold = (1n << 64n) % limit;
    for (;;) {
      const product = this.nextU64() * limit;
      if ((product & ALL) >= threshold) return Number(product >> 64n);
    }
  }
}
