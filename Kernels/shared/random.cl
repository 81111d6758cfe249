// Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3,
// SC 2011). A pure function of a key (the seed) and a counter (purpose, epoch, sample, ...), so that every device, and
// the host, draws the same integers in any order.

// Networks that see the same batches drop unlike channels.
#define DROPOUT_PURPOSE(peer, counters) \
  ((uint)((peer) ? PURPOSE_PEER_DROPOUT : PURPOSE_DROPOUT) | (uint)(counters)[COUNTER_MEMBER] << 8)

FUNCTION uint4 random_words(uint key_low, uint key_high, uint purpose, uint a, uint b, uint c) {
  uint x0 = purpose, x1 = a, x2 = b, x3 = c;
  for (int round = 0; round < 10; round++) {
    const ulong first = (ulong)x0 * 0xD2511F53u, second = (ulong)x2 * 0xCD9E8D57u;
    x0 = (uint)(second >> 32) ^ x1 ^ key_low;
    x1 = (uint)second;
    x2 = (uint)(first >> 32) ^ x3 ^ key_high;
    x3 = (uint)first;
    key_low += 0x9E3779B9u;
    key_high += 0xBB67AE85u;
  }
  uint4 words;
  words.x = x0;
  words.y = x1;
  words.z = x2;
  words.w = x3;
  return words;
}

// An integer in 0 ..< n from one random word.
FUNCTION int random_below(uint word, int n) { return (int)(((ulong)word * (ulong)n) >> 32); }

// A multiple of 2^-24 in [0, 1) from one random word.
FUNCTION float random_uniform(uint word) { return (float)(word >> 8) * 0x1p-24f; }
